"""What a lab hands to the harness: ``cluster.yaml``, all that the harness ever knows of it."""

from __future__ import annotations

import os
import sys

import yaml

from quorate.harness.lab import keys, network
from quorate.harness.lab.plan import MONITOR_PORT, VIP_ADDRESS, VIP_PORT, LabPlan


def cluster(plan: LabPlan) -> dict[str, object]:
    """The content of cluster.yaml."""
    power = [sys.executable, "-m", "quorate", "lab", "power", "--name", plan.spec.name]
    return {
        "format": 1,
        "name": plan.spec.name,
        "kubeconfig": "kubeconfig",
        "virtual_ip": {"address": VIP_ADDRESS, "port": VIP_PORT},
        "nodes": [
            {"name": each.name, "address": each.address, "roles": each.roles}
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
        "haproxy": {
            "stats_socket": "/run/haproxy/admin.sock",
            "monitor_port": MONITOR_PORT,
            "monitor_uri": "/up",
        },
    }  # fmt: skip


def write(plan: LabPlan) -> None:
    """Write cluster.yaml into the lab's directory, in one step."""
    target = plan.home / "cluster.yaml"
    staging = target.with_suffix(".tmp")
    with os.fdopen(os.open(staging, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        yaml.safe_dump(cluster(plan), file, sort_keys=False)
    staging.rename(target)
