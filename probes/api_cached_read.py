"""A read that an API server may answer from its watch cache.

GET of a single object with ``resourceVersion=0`` is answered with what the API server remembers,
however old (Kubernetes API concepts, "Resource versions"), so OK means: a load balancer, and an API
server whose cache is filled. Nobody asks etcd for it; but a cache is kept full by a watch of etcd,
and some time after that has ended there are no answers either (docs/probes.md tells what was seen).
"""

from __future__ import annotations

from quorate.probes import api_quorum_read
from quorate.probes.question import Question

QUESTION = Question(
    name="api_cached_read",
    path=f"{api_quorum_read.QUESTION.path}?resourceVersion=0",
    status=(200,),
    body_contains='"kind":"ConfigMap"',
    summary="GET of one ConfigMap with resourceVersion=0: answered from the watch cache",
)
