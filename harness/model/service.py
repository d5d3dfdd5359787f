"""The service under watch: ours, deployed by a run in a namespace of its own and removed after it.

Names that the probes (which ask it) and the faults and arrangements (which deploy and break it)
share without knowing each other.
"""

from __future__ import annotations

NAMESPACE = "quorate-service"
NAME = "service"
LABELS = {"app": "quorate-service"}
SELECTOR = "app=quorate-service"
REPLICAS = 3
PORT = 8080
GREETING = "the service under watch"
"""What its page holds."""

RESOLVE_PATH = "/cgi-bin/resolve"
RESOLVED = "resolved"
"""Asked there, a pod looks up the API's name through the cluster's DNS, and says this if it can."""

PRE_STOP_S = 5
"""How long a pod that is ending goes on serving: longer than endpoints take to reach every node
(kube-proxy syncs within about 1 s; reference/timings_and_slos.md)."""

UNREACHABLE_S = 5
"""How long a pod of it is left on a node that is not ready or cannot be reached. Kubernetes' own
300 s are for pods that are dear to move; a web server without state is not."""
