"""Credentials: where they may come from, and that they stay out of everything printed."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from quorate.harness.drivers import exec_plugin
from quorate.harness.drivers.kubeconfig import KubeCredentials
from quorate.harness.errors import DriverError
from quorate.harness.model.probe_plan import ClientCredentials, ProbePlan
from quorate.harness.sampling.configuration import session_config, shown_config
from tests.unit.conftest import ClientUntil


def written(folder: Path, *, user: dict[str, Any], current: str = "here") -> Path:
    path = folder / "kubeconfig"
    path.write_text(
        yaml.safe_dump(
            {
                "current-context": current,
                "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
                "clusters": [{"name": "c", "cluster": {"certificate-authority-data": "Q0E="}}],
                "users": [{"name": "u", "user": user}],
            }
        )
    )
    return path


def test_inline_and_files(tmp_path: Path) -> None:
    (tmp_path / "k.pem").write_bytes(b"KEY")
    user = {"client-certificate-data": base64.b64encode(b"CRT").decode(), "client-key": "k.pem"}
    read = KubeCredentials.read(written(tmp_path, user=user))
    assert (read.ca, read.certificate, read.key) == (b"CA", b"CRT", b"KEY")
    assert "KEY" not in repr(read)


def test_files_are_private_and_gone_afterwards(tmp_path: Path) -> None:
    credentials = KubeCredentials(b"CA", b"CRT", b"KEY")
    with credentials.as_files() as files:
        assert files.key.read_bytes() == b"KEY"
        assert files.key.stat().st_mode & 0o077 == 0
    assert not files.key.exists()


@pytest.mark.parametrize(
    ("user", "current", "says"),
    [
        ({"username": "u", "password": "secret"}, "here", "username is not taken; .*tokenFile"),
        ({"token": "secret\nX: y"}, "here", "what no token holds"),
        ({"client-certificate-data": "Q0E="}, "here", "client-key"),
        ({"client-certificate-data": "!", "client-key-data": "Q0E="}, "here", "no credentials"),
        ({}, "elsewhere", "elsewhere"),
    ],
)
def test_what_is_missing_is_named(
    tmp_path: Path, user: dict[str, Any], current: str, says: str
) -> None:
    with pytest.raises(DriverError, match=says) as told:
        KubeCredentials.read(written(tmp_path, user=user, current=current))
    assert "secret" not in str(told.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DriverError, match="No such file"):
        KubeCredentials.read(tmp_path / "none")


def test_bad_certificates_are_told(tmp_path: Path) -> None:
    with pytest.raises(DriverError, match="cannot be used"):
        KubeCredentials(b"CA", b"CRT", b"KEY").ssl_context()


def test_a_certificate_tells_until_when_it_is_valid(client_until: ClientUntil) -> None:
    until = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
    found = client_until(until).expiry()
    assert found is not None
    assert (found.at, found.of) == (until, "client certificate")
    with pytest.raises(DriverError, match="is none"):
        KubeCredentials(b"CA", b"CRT", b"KEY").expiry()


# --- tokens and exec plugins

SECRET = "s3cr3t-t0k3n"


def jwt(until: datetime) -> str:
    payload = base64.urlsafe_b64encode(f'{{"exp": {until.timestamp():.0f}}}'.encode()).decode()
    return f"e30.{payload.rstrip('=')}.c2ln"


def test_a_token_is_a_header_and_nowhere_shown(tmp_path: Path) -> None:
    (tmp_path / "tok").write_text(f"{SECRET}-file\n")
    for user, expected in (
        ({"token": SECRET}, SECRET),
        ({"token": SECRET, "tokenFile": "tok"}, f"{SECRET}-file"),
    ):
        read = KubeCredentials.read(written(tmp_path, user=user))
        assert read.headers == {"Authorization": f"Bearer {expected}"}
        assert SECRET not in repr(read)
        assert read.expiry() is None, "nobody knows"
    read = KubeCredentials.read(written(tmp_path, user={"client-key-data": "Q0E=", **CLIENT}))
    assert read.headers == {}


CLIENT = {"client-certificate-data": "Q0E="}


def test_a_token_tells_until_when_it_is_valid() -> None:
    until = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
    found = KubeCredentials(b"CA", token=jwt(until)).expiry()
    assert found is not None
    assert (found.at, found.of) == (until, "token")
    for other in ("a.b.c", "x", "", "e30.W10.x", "e30.eyJleHAiOiAxZTk5fQ.x"):
        assert KubeCredentials(b"CA", token=other).expiry() is None


def plugin(folder: Path, script: str, **more: Any) -> Path:
    """A kubeconfig whose user comes from a shell script."""
    file = folder / "plugin"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    spec = {"apiVersion": "client.authentication.k8s.io/v1", "command": "./plugin", **more}
    return written(folder, user={"exec": spec})


STATUS = '{"kind": "ExecCredential", "status": {"token": "%s", "expirationTimestamp": "%s"}}'


def test_an_exec_plugin_is_asked_with_its_words_and_environment(tmp_path: Path) -> None:
    said = STATUS % ("'\"$1-$EXTRA\"'", "2030-01-02T03:04:05Z")
    script = f"test -n \"$KUBERNETES_EXEC_INFO\" || exit 9; read x && exit 8; echo '{said}'"
    env = [{"name": "EXTRA", "value": "e"}]
    read = KubeCredentials.read(plugin(tmp_path, script, args=["a"], env=env))
    assert read.token == "a-e"
    found = read.expiry()
    assert found is not None
    assert found.at == datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert "exec plugin" in found.of


@pytest.mark.parametrize(
    ("script", "more", "says"),
    [
        (f"echo {SECRET}; echo 'log in first' >&2; exit 3", {}, "ended with 3: log in first"),
        (f"echo {SECRET}", {}, "printed no ExecCredential"),
        (f"""echo '{{"status": {{"clientKeyData": "{SECRET}"}}}}'""", {}, "gave neither a token"),
        (f"""echo '{STATUS % (SECRET, "soon")}'""", {}, "printed no ExecCredential"),
        ("", {"interactiveMode": "Always"}, "nobody is there"),
        ("", {"apiVersion": "client.authentication.k8s.io/v1alpha1"}, "v1alpha1 is not taken"),
        ("", {"provideClusterInfo": True}, "provideClusterInfo"),
        ("", {"command": "no-such-plugin", "installHint": "get it"}, "not on this machine: get it"),
    ],
)
def test_a_plugin_that_fails_is_told_and_its_stdout_is_not(
    tmp_path: Path, script: str, more: dict[str, Any], says: str
) -> None:
    with pytest.raises(DriverError, match=says) as told:
        KubeCredentials.read(plugin(tmp_path, script, **more))
    assert SECRET not in str(told.value)
    assert told.value.__cause__ is None


def test_a_plugin_that_waits_for_somebody_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exec_plugin, "TIMEOUT_S", 0.2)
    with pytest.raises(DriverError, match=r"did not end within 0\.2 s: enter the code"):
        KubeCredentials.read(plugin(tmp_path, "echo enter the code >&2; sleep 600"))


def test_a_file_that_is_no_yaml_is_not_quoted(tmp_path: Path) -> None:
    (tmp_path / "kubeconfig").write_text(f"users: [{{user: {{token: {SECRET}}}\n  - }}\n")
    with pytest.raises(DriverError, match=r"line \d is no YAML") as told:
        KubeCredentials.read(tmp_path / "kubeconfig")
    assert SECRET not in str(told.value)


def test_a_token_goes_with_every_request_of_a_probe_and_stays_out_of_what_is_shown() -> None:
    plan = ProbePlan(
        host="192.0.2.1",
        port=6443,
        path="/x",
        connection="new",
        rate_hz=1.0,
        credentials=ClientCredentials(ca_pem="CA", token=SECRET),
    )
    (request,) = plan.requests
    assert f"\r\nAuthorization: Bearer {SECRET}\r\n" in request
    assert SECRET not in repr(plan)
    config = session_config({"p": plan}, base_ns=0, fifo_priority=0, control="c", output=str)
    assert SECRET in str(config)
    assert SECRET not in str(shown_config(config))
