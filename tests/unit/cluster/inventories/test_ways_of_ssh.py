"""Jump hosts, keys, ports and users, as inventories say them; and passwords, which nobody reads."""

from __future__ import annotations

from dataclasses import astuple
from pathlib import Path

import pytest

from quorate.harness.cluster.discovery.from_api import KubeNode
from quorate.harness.cluster.discovery.from_inventory import placed
from quorate.harness.cluster.discovery.merge import Given
from quorate.harness.cluster.discovery.reading import Inventory
from quorate.harness.cluster.inventories import read_inventory
from quorate.harness.cluster.inventories.host import Host
from quorate.harness.errors import SpecError

HERE = Path(__file__).parent


def of(name: str) -> dict[str, Host]:
    return {host.name: host for host in read_inventory(HERE / name)}


def test_the_others_go_through_kubespray_s_bastion_unless_they_say_a_way() -> None:
    hosts = of("kubespray_bastion.ini")
    assert hosts["node1"].ssh_options == ("-J", "some_user@192.0.2.9:2222")
    assert hosts["node2"].ssh_options == ("-o", "ProxyCommand=ssh -W %h:%p other")
    assert hosts["bastion"].ssh_options == ()
    assert hosts["node3"].groups == ("etcd", "k8s-cluster", "kube-node")
    assert of("kubespray.ini")["node1"].ssh_options == ()


def test_variables_of_an_inner_group_outrank_those_of_the_outer_one() -> None:
    hosts = of("ranges.ini")
    assert list(hosts)[:5] == [
        "mail.example.com", "cp01.example.com", "cp02.example.com", "cp03.example.com", "jumper",
    ]  # fmt: skip
    key = ("-i", "~/.ssh/production key")
    way = ("-o", "ProxyJump=jump.example.com", "-o", "ConnectTimeout=5")
    assert hosts["cp02.example.com"] == Host(
        "cp02.example.com",
        "cp02.example.com",
        user="root",
        port=22,
        groups=("masters", "production"),
        ssh_options=(*way, *key),
    )
    assert (hosts["jumper"].port, hosts["jumper"].address) == (5555, "192.0.2.50")
    database = hosts["db-b.example.com"]
    assert (database.user, database.port, database.ssh_options) == ("admin", 2201, key)
    assert (hosts["mail.example.com"].user, hosts["mail.example.com"].groups) == ("", ())


def test_no_password_is_taken() -> None:
    assert "hunter2" not in repr([astuple(host) for host in of("ranges.ini").values()])


def test_what_ansible_itself_lists() -> None:
    hosts = of("listed.json")
    assert hosts["cp1"] == Host(
        "cp1", "192.0.2.11", user="ops", port=2222, groups=("kube_control_plane",)
    )
    assert hosts["w1"].groups == ("kube_node",)


def test_rke_s_bastion_and_keys() -> None:
    hosts = of("rke_bastion.yml")
    way = ("-J", "ubuntu@192.0.2.9:2022")
    assert hosts["10.3.0.1"].ssh_options == (*way, "-i", "~/.ssh/test")
    assert hosts["10.3.0.2"].ssh_options == (*way, "-i", "~/.ssh/worker_rsa")


def test_a_vaulted_value_is_passed_over(tmp_path: Path) -> None:
    file = tmp_path / "hosts.yml"
    file.write_text(
        "all:\n  vars:\n    ansible_become_password: !vault |\n      $ANSIBLE_VAULT;1.1;AES256\n"
        "  children:\n    etcd:\n      hosts:\n        e1: {ansible_host: 192.0.2.31, ip: }\n"
    )
    assert read_inventory(file) == (Host("e1", "192.0.2.31", groups=("etcd",)),)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[a]\nn1 ansible_password=hunter2 hunter3\n", ":2: .*no = in word 3 of the line of n1"),
        ("[a]\nn1 ansible_password='hunter2\n", ":2: .*the line of n1"),
        ("[a:vars]\nhunter2\n", ":2: .*no = in it"),
        ("[a]\nn[3:1]\n", r":2: .*'n\[3:1\]'"),
        ("[a]\nn1 ansible_host={{hunter2}}\n", "n1.ansible_host: .*not evaluated"),
        ("[a]\nn1 ansible_ssh_common_args='-o \"hunter2'\n", "n1.ansible_ssh_common_args: "),
        ("a: {vars: {x: hunter2}, hunters: 1}\n", "a: found hunters, "),
        ("a: {hosts: {n1: hunter2}}\n", "a.hosts.n1: found str, "),
        ("password: hunter2\n", "password: found str, "),
        ("password: [hunter2]\n", "password: found list, "),
        ("a: {hosts: 7}\n", "a.hosts: found int, "),
        ("nodes: [{address: 192.0.2.1, role: worker}]\n", r"nodes\[0\].role: .*a list"),
        ("nodes: [{address: 192.0.2.1}]\nbastion_host: hunter2\n", "bastion_host: found str"),
        ("#!/usr/bin/env python3\n", "a script, .*ansible-inventory -i THIS --list --yaml"),
        ("plugin: aws_ec2\n", "plugin: .*ansible-inventory"),
    ],
)
def test_a_mistake_is_named_and_no_value_is_repeated(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "inventory"
    file.write_text(text)
    with pytest.raises(SpecError, match=said) as caught:
        read_inventory(file)
    assert "hunter2" not in str(caught.value)
    assert "hunter3" not in str(caught.value)


@pytest.mark.parametrize("name", ["hosts.yaml", "hosts.json"])
def test_a_file_named_as_yaml_is_not_taken_for_ini(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.write_text("all:\n  hosts: {a: \n  children: }}\n")
    with pytest.raises(SpecError, match=r":3: .*allowed: YAML"):
        read_inventory(file)
    file.write_text("[1, 2]\n")
    with pytest.raises(SpecError, match="found list"):
        read_inventory(file)
    file.write_text("")
    with pytest.raises(SpecError, match="no host"):
        read_inventory(file)
    with pytest.raises(SpecError, match=r"a directory, .*ansible-inventory"):
        read_inventory(tmp_path)


def host(name: str, *options: str) -> Host:
    return Host(name, "192.0.2.1", groups=("etcd",), ssh_options=options)


def test_one_way_for_all_is_written_down_and_what_was_given_outranks_it() -> None:
    inventory = Inventory(Path("i"), [host("a", "-J", "b"), host("c", "-J", "b")], {})
    assert inventory.added_to(Given(Path("k")), []).ssh == {"options": ("-J", "b")}
    given = Given(Path("k"), ssh={"options": ("-J", "mine"), "user": "me"})
    assert inventory.added_to(given, []).ssh == {"options": ("-J", "mine"), "user": "me"}


def test_ways_that_differ_and_hosts_that_nobody_knows_are_told() -> None:
    stranger = Host("gone", "192.0.2.77", groups=("kube_node",))
    node = KubeNode("w1", "10.0.0.1", False, True, "containerd://2", "v1.36.3")
    found = placed([host("a", "-J", "b"), host("c"), stranger], [node], named={}, file=Path("i"))
    assert found.options == ()
    assert "ssh options that differ" in found.notes[0]
    assert "gone is no node that the API knows" in found.notes[1]
    inventory = Inventory(Path("i"), [stranger], {})
    assert inventory.added_to(Given(Path("k")), [node]).notes == found.notes[1:]
    assert placed([host("a")], [], named={}, file=Path("i")).notes == ()
