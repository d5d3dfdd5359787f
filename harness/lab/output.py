"""What a lab hands to the harness: ``cluster.yaml``, all that the harness ever knows of it."""

from __future__ import annotations

import sys

from quorate.harness.cluster.file import write_cluster
from quorate.harness.lab import keys, network
from quorate.harness.lab.plan import MONITOR_PORT, VIP_ADDRESS, VIP_PORT, LabPlan
from quorate.harness.lab.spec import NGINX
from quorate.harness.model.cluster import Cluster


def cluster(plan: LabPlan) -> dict[str, object]:
    """The content of cluster.yaml."""
    power = [sys.executable, "-m", "quorate", "lab", "power", "--name", plan.spec.name]
    return {
        "format": 1,
        "name": plan.spec.name,
        "kubeconfig": "kubeconfig",
        "virtual_ip": {"address": VIP_ADDRESS, "port": VIP_PORT},
        "nodes": [
            {"name": each.name, "address": each.address, "roles": [str(one) for one in each.roles]}
            for each in plan.nodes
        ],
        "ssh": {
            "user": "root",
            "port": 22,
            "options": [
                "-F", "none", "-i", str(keys.harness_key(plan)), "-o", "IdentitiesOnly=yes",
                "-o", f"UserKnownHostsFile={keys.known_hosts(plan)}",
                "-o", "GlobalKnownHostsFile=/dev/null", "-o", "StrictHostKeyChecking=yes",
            ],
        },
        "power": {"command": [*power, "{action}", "{node}"]},
        "network_namespace": str(plan.namespace(network.CLIENT)),
        **_balancer(plan),
    }  # fmt: skip


def _balancer(plan: LabPlan) -> dict[str, object]:
    monitor = {"monitor_port": MONITOR_PORT, "monitor_uri": "/up"}
    if plan.spec.balancer == NGINX:
        return {"balancer": NGINX, "nginx": monitor}
    return {"haproxy": {"stats_socket": "/run/haproxy/admin.sock", **monitor}}


def write(plan: LabPlan) -> None:
    """Write cluster.yaml into the lab's directory, checked by the model that reads it."""
    write_cluster(Cluster.model_validate(cluster(plan)), plan.home / "cluster.yaml")
