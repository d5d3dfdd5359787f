from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from quorate.harness.cluster import namespace
from quorate.harness.errors import RefusedError
from quorate.harness.model.cluster import Cluster


def cluster(path: Path | None) -> Cluster:
    return Cluster.model_validate(
        {
            "format": 1,
            "name": "lab",
            "kubeconfig": "kubeconfig",
            "virtual_ip": {"address": "10.77.0.100", "port": 8443},
            "nodes": [{"name": "cp1", "address": "10.77.0.11", "roles": ["control-plane"]}],
            "network_namespace": path,
        }
    )


def test_nothing_happens_for_real_machines_or_where_we_are_already(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(namespace, "set_network_namespace", lambda descriptor: pytest.fail("moved"))
    assert namespace.enter_network_namespace(cluster(None)) is False
    assert namespace.enter_network_namespace(cluster(Path("/proc/self/ns/net"))) is False


def test_a_missing_namespace_is_a_stopped_lab(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match=r"the lab is stopped: .*quorate lab start --name lab"):
        namespace.enter_network_namespace(cluster(tmp_path / "gone"))


def test_what_is_not_permitted_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(_descriptor: int) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(namespace, "set_network_namespace", refuse)
    (tmp_path / "ns").symlink_to(f"/proc/{os.getpid()}/ns/net")
    monkeypatch.setattr(os.path, "samestat", lambda one, other: False)
    with pytest.raises(RefusedError, match=r"Operation not permitted\): run this as root"):
        namespace.enter_network_namespace(cluster(tmp_path / "ns"))


def test_the_file_that_a_reboot_leaves_is_a_stopped_lab(tmp_path: Path) -> None:
    (tmp_path / "ns").touch()
    with pytest.raises(RefusedError, match="the lab is stopped"):
        namespace.enter_network_namespace(cluster(tmp_path / "ns"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may make a network namespace")
@pytest.mark.parametrize("by_ctypes", [False, True])
def test_the_process_and_its_children_live_there_afterwards(*, by_ctypes: bool) -> None:
    """In a child process: a namespace of another process is entered, and seen by what we start."""
    program = f"""
import os, subprocess, sys
from pathlib import Path
from quorate.harness.cluster import namespace
from quorate.harness.model.cluster import Cluster
if {by_ctypes} and hasattr(os, "setns"):
    del os.setns
cluster = Cluster.model_validate({cluster(None).model_dump(mode="json")!r}
    | {{"network_namespace": Path(sys.argv[1])}})
assert namespace.enter_network_namespace(cluster) is True
assert namespace.enter_network_namespace(cluster) is False
print(subprocess.check_output(["readlink", "/proc/self/ns/net"], text=True))
"""
    environ = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen(
        ["unshare", "--net", "sh", "-c", "echo there; exec sleep 60"],
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        try:
            assert other.stdout is not None
            assert other.stdout.readline() == "there\n"
            path = f"/proc/{other.pid}/ns/net"
            seen = subprocess.check_output(
                [sys.executable, "-c", program, path], text=True, env=environ
            )
            assert seen.strip() == os.readlink(path) != os.readlink("/proc/self/ns/net")
        finally:
            other.kill()
