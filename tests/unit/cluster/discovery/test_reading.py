"""Asking API and machines, and what is said when they do not answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from quorate.harness.cluster.discovery import reading
from quorate.harness.cluster.discovery.merge import Given
from quorate.harness.drivers.kubeconfig import KubeCredentials, server_of
from quorate.harness.errors import DriverError, NodeUnreachable, RefusedError
from quorate.harness.transport import MemoryTransport, Reply


def unreachable(problem: str) -> Reply:
    error = NodeUnreachable("w1", argv=("x",), problem=problem, pasteable="ssh w1 x")
    return Reply(error=error)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("root@192.0.2.21: Permission denied (publickey).", "--ssh-user"),
        ("@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @", "ssh-keygen -R"),
        ("Host key verification failed.", "UserKnownHostsFile"),
        ("connect to host 192.0.2.21 port 22: No route to host", "No route to host"),
    ],
)
def test_why_a_machine_could_not_be_asked(said: str, told: str) -> None:
    memory = MemoryTransport().on("sh", reply=unreachable(said), node="w1")
    memory.on("ip", reply=Reply(json.dumps([])))
    machines, unread = reading.read_machines(memory, ["cp1", "w1"])
    assert set(machines) == {"cp1"}
    assert told in unread["w1"]


def kubeconfig(folder: Path, server: str) -> Path:
    document: dict[str, Any] = {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
        "clusters": [{"name": "k", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": {"exec": {"command": "cloud-login"}}}],
    }
    path = folder / "kubeconfig"
    path.write_text(yaml.safe_dump(document))
    return path


def test_the_server_of_a_kubeconfig(tmp_path: Path) -> None:
    assert server_of(kubeconfig(tmp_path, "https://192.0.2.9:8443")) == ("192.0.2.9", 8443)
    assert server_of(kubeconfig(tmp_path, "https://api.example")) == ("api.example", 443)
    with pytest.raises(DriverError, match="no https server"):
        server_of(kubeconfig(tmp_path, "http://192.0.2.9"))
    with pytest.raises(DriverError, match="cannot be read"):
        server_of(tmp_path / "none")


def test_a_kubeconfig_without_a_certificate_says_what_is_needed(tmp_path: Path) -> None:
    given = Given(kubeconfig(tmp_path, "https://127.0.0.1:1"))
    with pytest.raises(DriverError, match="client-certificate"):
        reading.discover(given, connect=lambda _: MemoryTransport(), enter=lambda _: None)


def test_an_api_that_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import ssl

    class Credentials:
        headers: Mapping[str, str] = {}

        def ssl_context(self) -> ssl.SSLContext:
            return ssl.create_default_context()

    monkeypatch.setattr(KubeCredentials, "read", lambda _: Credentials())
    given = Given(kubeconfig(tmp_path, "https://127.0.0.1:1"))
    with pytest.raises(RefusedError, match=r"its server 127\.0\.0\.1:1 does not answer"):
        reading.read_api(given)
