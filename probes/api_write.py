"""A write that counts only where nobody else has written since: compare and swap.

PUT of a ConfigMap with the resourceVersion of the answer before, so OK means: an API server, and a
quorum of etcd that has taken the write to its log. The ConfigMaps are the run's own (it makes and
removes them), and each acknowledged write is looked for at the run's end.
"""

from __future__ import annotations

from quorate.probes.question import Question

QUESTION = Question(
    name="api_write",
    path="",
    status=(200,),
    body_contains="",
    summary="compare-and-swap PUT of a ConfigMap of the run's own: needs etcd's quorum to write",
    of="register",
)
