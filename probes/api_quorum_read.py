"""A read that an API server can only answer with etcd's quorum behind it.

GET of a single object without ``resourceVersion`` is served from etcd, linearizably, not from the
watch cache (Kubernetes API concepts, "Resource versions"), so OK means: a load balancer, an API
server, and a quorum of etcd with a leader. The object is kubeadm's own configuration: every
kubeadm cluster has it, and it is small.
"""

from __future__ import annotations

from quorate.probes.question import Question

QUESTION = Question(
    name="api_quorum_read",
    path="/api/v1/namespaces/kube-system/configmaps/kubeadm-config",
    status=(200,),
    body_contains='"kind":"ConfigMap"',
    summary="GET of one ConfigMap without resourceVersion: needs an API server and etcd's quorum",
)
