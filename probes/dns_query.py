"""A question to a DNS server of the cluster, by UDP, asked by the sampler itself.

OK means: the server at that address answered the question for the API's own name with an address.
By way of the service (path ``dns``) that is a node's kube-proxy and any CoreDNS pod; each question
comes from a port of its own, so that each may go to another pod. Past the service (``dns:1``,
``dns:2``, … the CoreDNS pods in the order of their names) it is that pod. ``dns_resolution`` asks
what a pod's resolver makes of it; this asks the servers, and says which. A question is never asked
twice, so that one lost datagram is one bad sample.
"""

from __future__ import annotations

from quorate.probes.question import Question

NAME = "kubernetes.default.svc.cluster.local"
"""Every cluster has it, by kubeadm's default domain."""

QUESTION = Question(
    name="dns_query",
    path="",
    status=(200,),
    body_contains="",
    summary="a DNS question by UDP to the cluster's DNS service, or to one CoreDNS pod",
    of="dns",
)
