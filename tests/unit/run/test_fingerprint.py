"""What is read of a cluster, and that nothing of it can fail a run."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from quorate.harness.drivers.files import FileDriver
from quorate.harness.errors import DriverError, NodeUnreachable
from quorate.harness.model.cluster import Cluster, Node
from quorate.harness.run.fingerprint import read_fingerprint
from quorate.harness.transport import MemoryTransport, Reply

MARK = "\x1e"
MANIFEST = "spec: {{containers: [{{name: {0}, image: 'k/{0}:1', command: [{0}, --x=1]}}]}}\n"
FILES = {
    "/etc/haproxy/haproxy.cfg": "backend api\n  timeout connect 2s\n",
    "/etc/keepalived/keepalived.conf": "vrrp_instance api {\n  advert_int 1\n}\n",
    "/var/lib/kubelet/config.yaml": "nodeStatusUpdateFrequency: 10s\n",
    **{
        f"/etc/kubernetes/manifests/{name}.yaml": MANIFEST.format(name)
        for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd")
    },
}


class Kube:
    def __init__(self) -> None:
        self.broken = False

    def node_versions(self) -> dict[str, dict[str, str]]:
        if self.broken:
            raise DriverError("no API server answers:\n  cp1: refused")
        return {name: {"kubelet version": "v1.36.0"} for name in ("cp1", "cp2", "cp3", "w1")}

    def server_version(self, node: Node) -> str:
        return "v1.36.0"


class Scene:
    """Nodes with the files of FILES."""

    def __init__(self, cluster: Cluster) -> None:
        self.transport = MemoryTransport()
        self.kube = Kube()
        self.drivers: Any = SimpleNamespace(
            cluster=cluster, files=FileDriver(self.transport), kube=self.kube
        )
        self.transport.on("sh", reply=said(FILES))


def said(files: dict[str, str]) -> Reply:
    return Reply("".join(f"{MARK}{path}\n{text}" for path, text in files.items()))


@pytest.fixture
def scene(cluster: Cluster) -> Scene:
    return Scene(cluster)


def test_versions_roles_and_configuration(scene: Scene) -> None:
    found = read_fingerprint(scene.drivers)
    assert found.missing == ()
    assert found.id
    assert found.cluster == {"virtual IP": "192.0.2.100 port 8443"}
    assert set(found.nodes) == {"cp1", "cp2", "cp3", "w1"}
    expected = {
        "roles": "control-plane, etcd, load-balancer",
        "kubelet version": "v1.36.0",
        "API server version": "v1.36.0",
        "keepalived vrrp_instance api advert_int": "1",
        "haproxy backend api timeout connect": "2s",
        "etcd --x": "1",
        "kubelet nodeStatusUpdateFrequency": "10s",
    }
    assert expected.items() <= found.nodes["cp2"].items()
    assert "API server version" not in found.nodes["w1"]
    assert not [what for what in found.nodes["w1"] if "keepalived" in what or "etcd" in what]


def test_each_node_is_asked_once(scene: Scene) -> None:
    read_fingerprint(scene.drivers)
    assert sorted(call.node for call in scene.transport.calls) == ["cp1", "cp2", "cp3", "w1"]
    asked = {call.node: call.argv[4:] for call in scene.transport.calls}
    assert asked["w1"] == ("/var/lib/kubelet/config.yaml",)
    assert set(asked["cp1"]) == set(FILES)


def test_the_same_cluster_is_the_same(scene: Scene, cluster: Cluster) -> None:
    assert read_fingerprint(scene.drivers) == read_fingerprint(Scene(cluster).drivers)


def test_a_file_that_is_not_there_is_a_fact(scene: Scene) -> None:
    path = "/etc/kubernetes/manifests/etcd.yaml"
    less = {name: text for name, text in FILES.items() if name != path}
    scene.transport.on("sh", reply=said(less), node="cp1")
    found = read_fingerprint(scene.drivers)
    assert found.missing == ()
    assert found.nodes["cp1"][path] == "not there"


def test_what_cannot_be_read_is_named_and_fails_nothing(scene: Scene) -> None:
    scene.transport.on(
        "sh",
        reply=Reply(error=NodeUnreachable("cp1", argv=["sh"], problem="no route")),
        node="cp1",
    )
    broken = FILES | {"/etc/kubernetes/manifests/etcd.yaml": "a: ["}
    scene.transport.on("sh", reply=said(broken), node="cp2")
    scene.kube.broken = True
    found = read_fingerprint(scene.drivers)
    assert found.id == ""
    text = "\n".join(found.missing)
    assert "files of cp1: no route" in text
    assert "/etc/kubernetes/manifests/etcd.yaml on cp2: no YAML" in text
    assert "versions of the nodes: no API server answers" in text
    assert found.nodes["cp3"]["keepalived vrrp_instance api advert_int"] == "1"
