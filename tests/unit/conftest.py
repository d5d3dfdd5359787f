"""A cluster of three control planes and a worker, on paper."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from quorate.harness.drivers.kubeconfig import KubeCredentials
from quorate.harness.model.cluster import Cluster

ClientUntil = Callable[[datetime], KubeCredentials]

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


@pytest.fixture
def client_until() -> ClientUntil:
    """Credentials whose certificate is valid until then; signed by themselves."""

    def made(until: datetime) -> KubeCredentials:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "client")])
        builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        builder = builder.not_valid_before(until - timedelta(days=9)).not_valid_after(until)
        pem = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        return KubeCredentials(b"", pem, b"")

    return made
