"""`quorate discover` with a kubeconfig and ssh gives what the lab has written about itself."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from quorate.harness.cluster.file import read_cluster
from tests.lab.conftest import WHOLE_S, Lab, eventually

pytestmark = pytest.mark.lab


def test_the_lab_s_own_description_is_found(lab: Lab, tmp_path: Path) -> None:
    eventually("the cluster is whole", lab.is_whole, timeout_s=WHOLE_S)
    own = read_cluster(lab.cluster)
    assert own.power is not None
    found = tmp_path / "cluster.yaml"
    given = ["--kubeconfig", str(own.kubeconfig), "--ssh-user", "root", "--ssh-port", "22"]
    given += [f"--ssh-option={word}" for word in own.ssh.options]
    given += ["--network-namespace", str(own.network_namespace)]
    given += ["--power", shlex.join(own.power.command), "--output", str(found)]
    said = lab.run("discover", *given).stdout
    assert read_cluster(found) == own
    holders = [one for one in lab.powered() if "10.77.0.100/" in lab.on(one, "ip", "addr").stdout]
    assert f"held by {', '.join(holders)}" in said
    again = lab.run("discover", *given, check=False)
    assert again.returncode == 2
    assert "--force" in again.stderr


def test_an_inventory_says_where_ssh_goes(lab: Lab, tmp_path: Path) -> None:
    own = read_cluster(lab.cluster)
    groups = {"control-plane": "kube_control_plane", "etcd": "etcd", "worker": "kube_node"}
    lines = ["[all:vars]", "ansible_user=root", "ansible_port=22"]
    for role, group in groups.items():
        lines.append(f"[{group}]")
        lines += [
            f"{one.name} ansible_host={one.address}" for one in own.nodes if role in one.roles
        ]
    inventory = tmp_path / "inventory.ini"
    inventory.write_text("\n".join(lines))
    found = tmp_path / "cluster.yaml"
    given = ["--kubeconfig", str(own.kubeconfig), "--inventory", str(inventory)]
    given += [f"--ssh-option={word}" for word in own.ssh.options]
    given += ["--network-namespace", str(own.network_namespace), "--output", str(found)]
    lab.run("discover", *given)
    assert read_cluster(found) == own.model_copy(update={"power": None})


def test_a_key_that_is_not_the_machines_is_told(lab: Lab, tmp_path: Path) -> None:
    own = read_cluster(lab.cluster)
    strange = tmp_path / "key"
    lab_key = next(word for word in own.ssh.options if word.endswith("keys/harness"))
    strange.write_text("no key\n")
    options = [str(strange) if word == lab_key else word for word in own.ssh.options]
    given = ["--kubeconfig", str(own.kubeconfig), "--ssh-user", "root", "--output", "-"]
    given += [f"--ssh-option={word}" for word in options]
    given += ["--network-namespace", str(own.network_namespace)]
    done = lab.run("discover", *given, check=False)
    assert done.returncode == 3, done.stdout + done.stderr
    assert "ssh was refused" in done.stderr
    assert "--role cp1=" in done.stderr
