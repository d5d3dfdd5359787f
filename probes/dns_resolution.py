"""A name looked up through the cluster's DNS, by a pod of the service under watch.

OK means: the pod's resolver got an answer from CoreDNS by way of its cluster address. The page
starts a lookup of its own each time; nothing caches it but CoreDNS.
"""

from __future__ import annotations

from quorate.harness.model.service import RESOLVE_PATH, RESOLVED
from quorate.probes.question import Question

QUESTION = Question(
    name="dns_resolution",
    path=RESOLVE_PATH,
    status=(200,),
    body_contains=RESOLVED,
    summary="a pod of the service under watch looks up a name (given: service_deployed)",
    of="service",
)
