"""What `terraform output -json` prints, as hosts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from quorate.harness.cluster.discovery.from_api import KubeNode
from quorate.harness.cluster.discovery.from_inventory import placed
from quorate.harness.cluster.inventories import read_inventory
from quorate.harness.cluster.inventories.host import Host
from quorate.harness.errors import SpecError
from quorate.harness.model.cluster import Role

HERE = Path(__file__).parent


def test_lists_maps_and_objects_each_address_once() -> None:
    assert read_inventory(HERE / "terraform.json") == (
        Host("etcd1", "192.0.2.31", "10.3.0.31", groups=("etcd",)),
        Host("cp1", "192.0.2.11", groups=("master_ips", "nodes")),
        Host("192.0.2.12", "192.0.2.12", groups=("master_ips",)),
        Host("w1", "192.0.2.21", groups=("nodes",)),
    )


def test_a_table_of_machines_as_kubeone_has_it() -> None:
    hosts = {host.name: host for host in read_inventory(HERE / "kubeone.json")}
    assert hosts["cp2"] == Host(
        "cp2",
        "10.3.0.2",
        user="ubuntu",
        port=2222,
        groups=("control_plane", "kubeone_hosts"),
        ssh_options=("-J", "ubuntu@192.0.2.9:22"),
    )
    assert set(hosts) == {"cp1", "cp2", "endpoint"}  # the last is in no group that means a role
    assert "192.0.2.9" not in {host.address for host in hosts.values()}


def test_an_output_is_named_as_a_group_is() -> None:
    hosts = read_inventory(HERE / "terraform.json")
    nodes = [KubeNode("one", "192.0.2.11", True, False, "containerd://2", "v1.36.3")]
    named = {"master_ips": Role.CONTROL_PLANE}
    found = placed(hosts, nodes, named=named, file=Path("t.json"))
    assert found.addresses == {"one": "192.0.2.11"}
    assert found.machines == {"etcd1": "192.0.2.31"}
    with pytest.raises(
        SpecError, match="--group masters: found the groups etcd, master_ips, nodes"
    ):
        placed(hosts, nodes, named={"masters": Role.CONTROL_PLANE}, file=Path("t.json"))


def test_outputs_without_an_address_are_listed_and_no_value_is_repeated(tmp_path: Path) -> None:
    file = tmp_path / "out.json"
    outputs = {
        "hidden": {"sensitive": True, "type": "string", "value": "192.0.2.1"},
        "name": {"sensitive": False, "type": "string", "value": "hunter2"},
    }
    file.write_text(json.dumps(outputs))
    with pytest.raises(SpecError, match="no address in the outputs hidden, name") as caught:
        read_inventory(file)
    assert "192.0.2.1" not in str(caught.value)
    assert "hunter2" not in str(caught.value)
