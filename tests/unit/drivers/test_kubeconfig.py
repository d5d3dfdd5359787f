"""Credentials: where they may come from, and that they stay out of everything printed."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from quorate.harness.drivers.kubeconfig import KubeCredentials
from quorate.harness.errors import DriverError
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
        ({"token": "secret"}, "here", "client-certificate"),
        ({"client-certificate-data": "!", "client-key-data": "Q0E="}, "here", "client certificate"),
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
    assert client_until(until).valid_until() == until
    with pytest.raises(DriverError, match="is none"):
        KubeCredentials(b"CA", b"CRT", b"KEY").valid_until()
