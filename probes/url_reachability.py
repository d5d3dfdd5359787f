"""A URL of the user's own, asked as it stands in the experiment.

OK means: an answer with one of the statuses expected (200 unless said otherwise) that contains the
text expected, if there is one. Redirects are not followed: a redirect is an answer with another
status. Certificates are verified, by the system's authorities or those of `ca:` in cluster.yaml;
a cluster's own identity is never shown to it. The name is looked up once, before the start, so
that no resolver is measured; every request goes to that address.
"""

from __future__ import annotations

from quorate.harness.model.probe_plan import ClientCredentials, ProbePlan
from quorate.harness.model.probe_spec import ProbeSpec
from quorate.harness.model.url import parse_url
from quorate.probes.question import Question

QUESTION = Question(
    name="url_reachability",
    path="",
    status=(200,),
    body_contains="",
    summary="GET of a URL of one's own (url: in place of path:)",
    of="url",
)


def plan_url(spec: ProbeSpec, *, address: str, ca_pem: str, hard_timeout_s: float) -> ProbePlan:
    """What the sampler is to do. ``address``: the host's. ``ca_pem``: authorities; "": the
    system's."""
    assert spec.url is not None
    url = parse_url(spec.url)
    return ProbePlan(
        host=address,
        port=url.port,
        path=url.target,
        connection=spec.connection,
        rate_hz=spec.rate_hz,
        credentials=ClientCredentials(ca_pem=ca_pem) if url.scheme == "https" else None,
        server_name=url.host,
        hard_timeout_s=hard_timeout_s,
        status=spec.status or QUESTION.status,
        body_contains=spec.contains,
        headers={"Host": url.authority},
    )
