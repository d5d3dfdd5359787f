"""A healthy lab on paper: its files, what its members say, its objects; to be made worse."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from ipaddress import ip_address
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from quorate.harness.audit.auditing import audit
from quorate.harness.audit.facts import AuditFacts, Terms
from quorate.harness.drivers import etcd
from quorate.harness.drivers.files import ages_argv
from quorate.harness.drivers.public_files import PLACES, public_argv
from quorate.harness.errors import NodeUnreachable
from quorate.harness.model.audit import Acceptance, Audit, Finding
from quorate.harness.run.audit_reading import read_audit_facts
from quorate.harness.run.auditing import BACKUPS
from quorate.harness.transport import Reply
from tests import paper_lab as paper
from tests.memory_api import MemoryServer

Object = dict[str, Any]

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
CONTROL_PLANES = ("cp1", "cp2", "cp3")
WORKERS = ("w1", "w2", "w3")
VIP = "10.77.0.100"
IDS = {"cp1": 1, "cp2": 2, "cp3": 3}
SCHEDULER = f"{paper.MANIFESTS}/kube-scheduler.yaml"
APISERVER = f"{paper.MANIFESTS}/kube-apiserver.yaml"


@cache
def pem(subject: str, until: datetime, names: tuple[str, ...] = ()) -> str:
    """A certificate signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, subject)])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(until - timedelta(days=365)).not_valid_after(until)
    if names:
        addresses = [x509.IPAddress(ip_address(one)) for one in names]
        builder = builder.add_extension(x509.SubjectAlternativeName(addresses), critical=False)
    signed = builder.sign(key, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM).decode()


def kubeconfig(server: str, *, user: str, until: datetime) -> str:
    """What the node prints of one: no key."""
    data = base64.b64encode(pem(user, until).encode()).decode()
    return f"    server: {server}\n    client-certificate-data: {data}\n"


def curl(what: str, body: dict[str, str] | None = None) -> tuple[str, ...]:
    return (
        *("curl", "-sS", "--max-time", "5", "--cacert", etcd.CA, "--cert", etcd.CERTIFICATE),
        *("--key", etcd.KEY, "-d", json.dumps(body or {}), f"{etcd.CLIENT_URL}/v3/{what}"),
    )


def member(name: str, *, host: str, number: int, **more: Any) -> Object:
    """As the JSON gateway lists it."""
    urls = {"peerURLs": [f"https://{host}:2380"], "clientURLs": [f"https://{host}:2379"]}
    return {"ID": str(number), "name": name, **urls, **more}


def pod(name: str, *, node: str, labels: dict[str, str], namespace: str = "shop") -> Object:
    spec = {
        "nodeName": node,
        "containers": [{"name": "main", "resources": {"requests": {"cpu": "100m"}}}],
        "tolerations": [
            {
                "key": f"node.kubernetes.io/{why}",
                "operator": "Exists",
                "effect": "NoExecute",
                "tolerationSeconds": 300,
            }
            for why in ("not-ready", "unreachable")
        ],
    }
    owners = [{"kind": "ReplicaSet", "name": "x", "controller": True}]
    meta = {"name": name, "namespace": namespace, "labels": labels, "ownerReferences": owners}
    ready = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
    return {"metadata": meta, "spec": spec, "status": ready}


def deployment(
    name: str, *, replicas: int, labels: dict[str, str], namespace: str = "shop", **template: Any
) -> Object:
    container = {"name": "main", "readinessProbe": {"httpGet": {"path": "/", "port": 80}}}
    spread = [{"maxSkew": 1, "topologyKey": "kubernetes.io/hostname"}]
    inside = {"containers": [container], "topologySpreadConstraints": spread, **template}
    return {
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": inside},
        },
    }


def budget(name: str, *, allowed: int, labels: dict[str, str], **spec: Any) -> Object:
    return {
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {"selector": {"matchLabels": labels}, **spec},
        "status": {
            "disruptionsAllowed": allowed,
            "currentHealthy": 2,
            "desiredHealthy": 2 - allowed,
            "expectedPods": 2,
        },
    }


def hook(name: str, *, selector: Object | None = None, **more: Any) -> Object:
    """A ValidatingWebhookConfiguration of one webhook, as the API completes it."""
    rules = [{"apiGroups": [""], "resources": ["pods"], "operations": ["CREATE"]}]
    service = {"namespace": "shop", "name": "admit", "path": "/validate"}
    leaves_out = {"key": "kubernetes.io/metadata.name", "operator": "NotIn"}
    own = {"matchExpressions": [{**leaves_out, "values": ["kube-system", "shop"]}]}
    one = {
        "name": name,
        "failurePolicy": "Fail",
        "timeoutSeconds": 5,
        "rules": rules,
        "clientConfig": {"service": service},
        "namespaceSelector": own if selector is None else selector,
        **more,
    }
    return {"metadata": {"name": "admit"}, "webhooks": [one]}


@dataclass
class Lab:
    """What is read of it; change it, then `audit`."""

    files: dict[str, dict[str, str]] = field(default_factory=paper.texts)
    objects: dict[str, Object] = field(default_factory=dict)
    members: list[Object] = field(default_factory=list)
    alarms: list[Object] = field(default_factory=list)
    statuses: dict[str, Object] = field(default_factory=dict)
    public: dict[str, dict[str, str]] = field(default_factory=dict)
    """Node → path → what is printed of it."""
    backups: dict[str, str] = field(default_factory=dict)
    holders: tuple[str, ...] = ("cp1",)
    silent: tuple[str, ...] = ()
    """Nodes that cannot be reached."""
    server: MemoryServer = field(default_factory=MemoryServer)

    def replace(self, path: str, old: str, new: str, *nodes: str) -> None:
        """In the files of these nodes, of all control planes where none is named."""
        for node in nodes or CONTROL_PLANES:
            text = self.files[node][path]
            assert old in text, f"{old!r} is not in {path} of {node}"
            self.files[node][path] = text.replace(old, new)

    def put(self, path: str, *things: Object) -> None:
        """Objects of a namespaced list ("/apis/apps/v1 deployments") or of one of the cluster."""
        base, _, kind = path.partition(" ")
        for one in things:
            meta = one["metadata"]
            inside = f"/namespaces/{meta['namespace']}" if "namespace" in meta else ""
            self.objects[f"{base}{inside}/{kind}/{meta['name']}"] = one

    def facts(self, terms: Terms | None = None) -> AuditFacts:
        self.server.objects = self.objects
        drivers = paper.drivers(self.server, nodes=self._nodes())
        return read_audit_facts(drivers, now=NOW, terms=terms or Terms(backup_places=BACKUPS))

    def audit(self, *, explained: Sequence[Acceptance] = (), terms: Terms | None = None) -> Audit:
        return audit(self.facts(terms), explained=explained)

    def found(self, id: str, **more: Any) -> list[Finding]:
        """Those of one rule."""
        return [one for one in self.audit(**more).findings if one.id == id]

    def the(self, id: str, **more: Any) -> Finding:
        """The only one."""
        (one,) = self.found(id, **more)
        return one

    def _nodes(self) -> paper.PaperNodes:
        nodes = paper.transport()
        nodes.files = self.files
        for name in (*CONTROL_PLANES, *WORKERS):
            held = [{"addr_info": [{"local": VIP}]}] if name in self.holders else []
            nodes.on("ip", reply=Reply(json.dumps(held)), node=name)
            files = self.public.get(name, {})
            said = "".join(f"\x1e{path}\n{text}" for path, text in files.items())
            nodes.on(*public_argv(*PLACES), reply=Reply(said), node=name)
        header = {"header": {"cluster_id": "9", "revision": "4"}}
        listed, alarmed = {**header, "members": self.members}, {**header, "alarms": self.alarms}
        nodes.on(*curl("cluster/member/list"), reply=Reply(json.dumps(listed)))
        alarm = curl("maintenance/alarm", {"action": "GET"})
        nodes.on(*alarm, reply=Reply(json.dumps(alarmed)))
        for name, status in self.statuses.items():
            said = json.dumps({**header, **status})
            nodes.on(*curl("maintenance/status"), reply=Reply(said), node=name)
        for name, line in self.backups.items():
            nodes.on(*ages_argv(), reply=Reply(line), node=name)
        for name in self.silent:
            error = NodeUnreachable(name, argv=["ssh"], problem="no route to host")
            nodes.on(reply=Reply(error=error), node=name)
        return nodes


@pytest.fixture
def lab() -> Lab:
    made = Lab()
    late, addresses = NOW + timedelta(days=300), {f"cp{n}": f"10.77.0.1{n}" for n in (1, 2, 3)}
    vip = f"https://{VIP}:8443"
    for name, address in addresses.items():
        made.members.append(member(name, host=address, number=IDS[name]))
        made.statuses[name] = {
            "version": "3.6.8",
            "dbSize": "20480000",
            "dbSizeQuota": "2147483648",
            "leader": "2",
        }
        own = f"https://{address}:6443"
        made.public[name] = {
            "/etc/kubernetes/pki/apiserver.crt": pem("kube-apiserver", late, (address, VIP)),
            "/etc/kubernetes/pki/etcd/server.crt": pem(name, late),
            "/etc/kubernetes/kubelet.conf": f"    server: {own}\n",
            "/etc/kubernetes/scheduler.conf": kubeconfig(own, user="scheduler", until=late),
            "/etc/kubernetes/admin.conf": kubeconfig(vip, user="admin", until=late),
        }
    for name in WORKERS:
        made.public[name] = {
            "/etc/kubernetes/pki/ca.crt": pem("ca", late),
            "/etc/kubernetes/kubelet.conf": f"    server: {vip}\n",
        }
    made.backups["cp2"] = "1800 /var/lib/etcd/snapshots/latest.db\n"
    dns = {"k8s-app": "kube-dns"}
    whole = deployment("coredns", replicas=2, labels=dns, namespace="kube-system")
    made.put("/apis/apps/v1 deployments", whole)
    for node in ("w1", "w2"):
        one = pod(f"coredns-{node}", node=node, labels=dns, namespace="kube-system")
        made.put("/api/v1 pods", one)
    for name in (*CONTROL_PLANES, *WORKERS):
        taint = {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}
        made.put(
            "/api/v1 nodes",
            {
                "metadata": {"name": name},
                "spec": {"taints": [taint]} if name in CONTROL_PLANES else {},
                "status": {
                    "conditions": [{"type": "Ready", "status": "True"}],
                    "allocatable": {"cpu": "2", "memory": "4016Mi", "pods": "110"},
                },
            },
        )
    return made


@pytest.fixture
def shop(lab: Lab) -> Lab:
    """The same with a web server that is as it should be."""
    labels = {"app": "web"}
    lab.put("/apis/apps/v1 deployments", deployment("web", replicas=2, labels=labels))
    lab.put("/api/v1 pods", *(pod(f"web-{n}", node=f"w{n}", labels=labels) for n in (1, 2)))
    good = budget("web", allowed=1, labels=labels, maxUnavailable=1)
    lab.put("/apis/policy/v1 poddisruptionbudgets", good)
    return lab
