"""One contract, every transport that really runs something: local, and ssh through a stand-in.

The stand-in for ssh does what sshd does at the other end: it hands its last word to a shell. It
stands first on PATH; tests/lab meets the real one.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from quorate.harness.model.cluster import Cluster
from quorate.harness.transport import LocalTransport, SshTransport, Transport
from quorate.harness.undo.in_flight import InFlight

_STAND_IN = """\
#!/bin/sh
for word; do :; done
test -e "$(dirname "$0")/unreachable" && { echo "ssh: connect to host: no route" >&2; exit 255; }
exec sh -c "$word"
"""

Make = Callable[[InFlight | None], tuple[Transport, str]]


def cluster() -> Cluster:
    return Cluster.model_validate(
        {
            "format": 1,
            "name": "c",
            "kubeconfig": "kubeconfig",
            "virtual_ip": {"address": "192.0.2.9", "port": 8443},
            "nodes": [{"name": "cp1", "address": "192.0.2.1", "roles": ["control-plane"]}],
            "ssh": {"user": "root", "port": 2222, "options": ["-o", "ConnectTimeout=1"]},
        }
    )


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory of the stand-in; a file `unreachable` in it makes it fail as ssh does."""
    directory = tmp_path / "bin"
    directory.mkdir()
    (directory / "ssh").write_text(_STAND_IN)
    (directory / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", str(directory), prepend=":")
    return directory


@pytest.fixture(params=["local", "ssh"])
def make(request: pytest.FixtureRequest, stand_in: Path) -> Make:
    """Makes a transport and names a node of it."""

    def local(in_flight: InFlight | None) -> tuple[Transport, str]:
        return LocalTransport(in_flight=in_flight), "harness"

    def ssh(in_flight: InFlight | None) -> tuple[Transport, str]:
        return SshTransport(cluster(), in_flight=in_flight), "cp1"

    return local if request.param == "local" else ssh
