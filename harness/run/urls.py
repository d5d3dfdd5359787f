"""URLs of the user's own: their names looked up once, before the start, and written down."""

from __future__ import annotations

import socket
from collections.abc import Callable

from quorate.harness.errors import RefusedError
from quorate.harness.model.cluster import Cluster
from quorate.harness.model.probe_plan import ProbePlan
from quorate.harness.model.url import parse_url
from quorate.harness.run.request import Request
from quorate.harness.store.run_directory import RunDirectory
from quorate.probes.url_reachability import plan_url


def addresses_of(host: str, port: int) -> list[str]:
    """The addresses of a host, in the resolver's order; OSError where there is none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


def url_plans(
    directory: RunDirectory,
    request: Request,
    *,
    addresses: Callable[[str, int], list[str]] = addresses_of,
) -> dict[str, ProbePlan]:
    """What the sampler is to ask of each URL of the experiment, at the first of its addresses.

    RefusedError where a name has no address, or the cluster's `ca` cannot be read.
    """
    experiment = request.experiment
    asked = {name: spec for name, spec in experiment.probes.items() if spec.url is not None}
    plans = {}
    for name, spec in asked.items():
        url = parse_url(str(spec.url))
        try:
            found = addresses(url.host, url.port)
        except OSError as error:
            problem = f"{url.host} has no address: {error.strerror or error}"
            raise RefusedError(f"probe {name}: {problem}") from None
        directory.append_event("url_address", probe=name, host=url.host, addresses=found)
        plans[name] = plan_url(
            spec,
            address=found[0],
            ca_pem=_authorities(request.cluster),
            hard_timeout_s=experiment.hard_timeout_s(name),
        )
    return plans


def _authorities(cluster: Cluster) -> str:
    if cluster.ca is None:
        return ""
    try:
        return cluster.ca.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise RefusedError(f"ca of cluster.yaml: {cluster.ca} cannot be read: {error}") from None
