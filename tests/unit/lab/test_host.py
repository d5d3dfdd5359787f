"""The preflight: everything that is missing, in one message, before anything is made."""

from __future__ import annotations

from pathlib import Path

import pytest

from quorate.harness.errors import PreflightError
from quorate.harness.lab import host
from quorate.harness.lab.spec import LabSpec


def test_capabilities_are_read_from_their_bits() -> None:
    status = "Name:\tx\nCapEff:\t000001fffeffffff\nCapBnd:\t0\n"
    granted = host.capabilities(status)
    assert "CAP_SYS_RESOURCE" not in granted  # bit 24
    assert len(granted) == 40
    assert granted[0] == "CAP_CHOWN"
    assert granted[-1] == "CAP_CHECKPOINT_RESTORE"


def test_everything_missing_is_said_at_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("QUORATE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(host.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(host, "available_memory_mib", lambda _: 100)
    monkeypatch.setattr(host.resolver, "reachable", lambda _: False)
    inotify = tmp_path / "inotify"
    inotify.write_text("128\n")
    monkeypatch.setattr(host, "INOTIFY_KEY", inotify)
    with pytest.raises(PreflightError) as caught:
        host.check(LabSpec(), tmp_path / "home", fix_host=False)
    message = str(caught.value)
    for word in ("root", "apt-get install runc", "apt-get install mmdebstrap", "memory",
                 "kubernetes-v1.36.3", "no Go toolchain", "--fix-host"):  # fmt: skip
        assert word in message
    assert not (tmp_path / "home").exists()
    assert not (tmp_path / "cache").exists()


def test_limits_are_put_back_as_they_were(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    key, record = tmp_path / "key", tmp_path / "record"
    key.write_text("128\n")
    monkeypatch.setattr(host, "INOTIFY_KEY", key)
    host.raise_limits(LabSpec(), record)
    assert int(key.read_text()) >= host.inotify_needed(LabSpec())
    host.raise_limits(LabSpec(), record)  # a second lab must not remember the raised value
    host.put_back_limits(record)
    assert int(key.read_text()) == 128
    assert not record.exists()


def test_limits_that_suffice_are_left_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    key, record = tmp_path / "key", tmp_path / "record"
    key.write_text("8192\n")
    monkeypatch.setattr(host, "INOTIFY_KEY", key)
    host.raise_limits(LabSpec(), record)
    assert int(key.read_text()) == 8192
    assert not record.exists()
