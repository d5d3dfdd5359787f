"""A cluster of three control planes and a worker, on paper."""

from __future__ import annotations

import pytest

from quorate.harness.model.cluster import Cluster

ROLES = ["control-plane", "etcd", "load-balancer"]


@pytest.fixture
def cluster() -> Cluster:
    control_planes = [
        {"name": f"cp{n}", "address": f"192.0.2.{n}", "roles": ROLES} for n in (1, 2, 3)
    ]
    worker = {"name": "w1", "address": "192.0.2.21", "roles": ["worker"]}
    return Cluster.model_validate(
        {
            "format": 1,
            "name": "paper",
            "kubeconfig": "kubeconfig",
            "virtual_ip": {"address": "192.0.2.100", "port": 8443},
            "nodes": [*control_planes, worker],
            "power": {"command": ["switch", "{action}", "{node}"]},
        }
    )
