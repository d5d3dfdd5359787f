"""A page of the service under watch, asked from outside at a NodePort.

OK means: a node's kube-proxy still knows a pod that serves, and the way to it is open. Which pod
answers changes with every new connection.
"""

from __future__ import annotations

from quorate.harness.model.service import GREETING
from quorate.probes.question import Question

QUESTION = Question(
    name="service_reachability",
    path="/",
    status=(200,),
    body_contains=GREETING,
    summary="GET of a page of the service under watch at a NodePort (given: service_deployed)",
    of="service",
)
