"""`quorate discover`: what its options become, before anybody is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from quorate.harness import cli
from quorate.harness.cluster.discovery import reading
from quorate.harness.cluster.discovery.merge import Discovered, Given
from quorate.harness.model.cluster import Role

INVENTORY = "[masters]\ncp1 ansible_host=192.0.2.11\n"


def ended(*words: str) -> int:
    with pytest.raises(SystemExit) as end:
        cli.main(["discover", "--kubeconfig", "admin.conf", "--output", "-", *words])
    assert isinstance(end.value.code, int)
    return end.value.code


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Given, Any]]:
    seen: list[tuple[Given, Any]] = []

    def discover(given: Given, *, inventory: Any = None) -> Discovered:
        seen.append((given, inventory))
        return Discovered(None, (), ("everything",), ())

    monkeypatch.setattr(reading, "discover", discover)
    return seen


def test_an_inventory_and_ssh(asked: list[tuple[Given, Any]], tmp_path: Path) -> None:
    file = tmp_path / "inventory"
    file.write_text(INVENTORY)
    words = ["--group", "control-plane=masters", "--sudo", "--ssh-option=-J", "--ssh-option=b"]
    assert ended("--inventory", str(file), *words, "--role", "cp1=control-plane,etcd") == 3
    [(given, inventory)] = asked
    assert given.ssh == {"options": ("-J", "b"), "sudo": True}
    assert given.roles == {"cp1": ("control-plane", "etcd")}
    assert inventory.named == {"masters": Role.CONTROL_PLANE}
    assert [host.address for host in inventory.hosts] == ["192.0.2.11"]


def test_without_options_ssh_decides(asked: list[tuple[Given, Any]]) -> None:
    assert ended() == 3
    assert (asked[0][0].ssh, asked[0][1]) == ({}, None)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--role", "cp1=captain"], "captain is none of control-plane, etcd"),
        (["--role", "cp1"], "NODE=ROLE,ROLE is meant"),
        (["--group", "masters=control-plane"], "ROLE=GROUP is meant"),
        (["--inventory", "none.ini"], "none.ini: found No such file"),
    ],
)
def test_a_slip_is_told_and_nobody_is_asked(
    words: list[str],
    said: str,
    asked: list[tuple[Given, Any]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert ended(*words) == 2
    assert said in capsys.readouterr().err
    assert asked == []
