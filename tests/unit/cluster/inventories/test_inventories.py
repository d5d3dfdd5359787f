"""Inventories in the forms that people have, and what they add to what the API knows."""

from __future__ import annotations

from pathlib import Path

import pytest

from quorate.harness.cluster.discovery.from_api import KubeNode
from quorate.harness.cluster.discovery.from_inventory import placed
from quorate.harness.cluster.inventories import read_inventory
from quorate.harness.cluster.inventories.host import Host
from quorate.harness.errors import SpecError
from quorate.harness.model.cluster import Role

HERE = Path(__file__).parent


def of(name: str) -> dict[str, Host]:
    return {host.name: host for host in read_inventory(HERE / name)}


def test_kubespray_s_ini() -> None:
    hosts = of("kubespray.ini")
    assert list(hosts) == ["node1", "node2", "node3", "etcd9"]
    assert hosts["node1"] == Host(
        "node1",
        "192.0.2.11",
        inner="10.3.0.1",
        user="ops",
        port=2222,
        groups=("etcd", "k8s_cluster", "kube_control_plane"),
    )
    assert hosts["node2"].groups == ("k8s_cluster", "kube_control_plane", "kube_node")


def test_kubespray_s_yaml() -> None:
    hosts = of("hosts.yaml")
    assert (hosts["node1"].address, hosts["node1"].inner) == ("192.0.2.11", "10.3.0.1")
    assert set(hosts["node1"].groups) == {
        "etcd", "k8s_cluster", "kube_control_plane", "kube_node",
    }  # fmt: skip
    assert set(hosts["node2"].groups) == {"k8s_cluster", "kube_node"}


def test_rke() -> None:
    hosts = of("cluster.yml")
    assert hosts["cp1"] == Host(
        "cp1",
        "192.0.2.11",
        "10.3.0.1",
        user="ubuntu",
        port=2222,
        groups=("controlplane", "etcd"),
        ssh_options=("-i", "~/.ssh/id_rsa"),
    )
    assert hosts["192.0.2.21"].groups == ("worker",)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[broken\nnode1\n", r":1: .*'\[broken'"),
        ("[a:b]\n", r":1: .*\[group:children\]"),
        ("[a]\nnode1 x='\n", ":2: "),
        ("# nothing\n", "no host"),
        ("all: {hostz: {}}\n", "all: .*hosts, children, vars"),
        ("nodes: [{user: x}]\n", r"nodes\[0\]: .*address"),
    ],
)
def test_what_is_no_inventory(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "inventory"
    file.write_text(text)
    with pytest.raises(SpecError, match=said):
        read_inventory(file)
    with pytest.raises(SpecError, match="No such file"):
        read_inventory(tmp_path / "none")


def kube(name: str, address: str) -> KubeNode:
    return KubeNode(name, address, False, True, "containerd://2", "v1.36.3")


def test_nodes_are_known_by_name_or_address_and_the_others_are_machines() -> None:
    hosts = read_inventory(HERE / "kubespray.ini")
    nodes = [kube("node1", "10.3.0.1"), kube("two", "10.3.0.2"), kube("node3", "192.0.2.13")]
    found = placed(hosts, nodes, named={}, file=Path("inventory.ini"))
    assert found.addresses == {"node1": "192.0.2.11", "two": "192.0.2.12", "node3": "192.0.2.13"}
    assert found.machines == {"etcd9": "192.0.2.39"}
    assert (found.user, found.port) == ("ops", 2222)


def test_groups_of_other_names_are_listed_and_can_be_named() -> None:
    hosts = [Host("m1", "192.0.2.11", groups=("masters",)), Host("b", "192.0.2.9", groups=("lbs",))]
    with pytest.raises(SpecError, match=r"the groups lbs, masters.*--group control-plane=lbs"):
        placed(hosts, [kube("m1", "192.0.2.11")], named={}, file=Path("i"))
    with pytest.raises(SpecError, match="the groups of nobody"):
        placed([Host("m1", "192.0.2.11")], [], named={}, file=Path("i"))
    named = {"masters": Role.CONTROL_PLANE, "lbs": Role.LOAD_BALANCER}
    found = placed(hosts, [kube("m1", "10.0.0.1")], named=named, file=Path("i"))
    assert (found.addresses, found.machines) == ({"m1": "192.0.2.11"}, {"b": "192.0.2.9"})


def test_a_machine_s_name_is_one_that_cluster_yaml_allows() -> None:
    hosts = [Host("LB_1", "192.0.2.51", groups=("lb",))]
    assert placed(hosts, [], named={}, file=Path("i")).machines == {"lb-1": "192.0.2.51"}


def test_users_that_differ_are_left_to_ssh() -> None:
    hosts = [
        Host("a", "192.0.2.1", user="x", groups=("etcd",)),
        Host("b", "192.0.2.2", user="y", groups=("etcd",)),
    ]
    assert placed(hosts, [], named={}, file=Path("i")).user == ""
