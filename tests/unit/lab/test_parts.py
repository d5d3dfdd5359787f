"""The resolver: cache, then release, then build; whole or absent; safe when two run at once."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from quorate.harness.errors import LabError
from quorate.harness.lab import parts, release, shell
from quorate.harness.lab.spec import UPGRADES, Versions

PART = parts.Part("thing", "v1", ("thing",), "{url}.sha256", archive="http://127.0.0.1:9/thing.tgz")


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """No release to be had; a build that writes the program, and a list of all builds."""
    builds: list[Path] = []

    def unavailable(*_: object) -> None:
        raise release.Unavailable("no network")

    def build(_: parts.Part, bin_dir: Path) -> None:
        builds.append(bin_dir)
        (bin_dir / "thing").write_text("program")

    monkeypatch.setattr(parts, "_download", unavailable)
    monkeypatch.setattr(parts, "_build", build)
    monkeypatch.setattr(parts, "go_problem", lambda: None)
    return builds


def test_what_is_cached_is_not_made_again(built: list[Path], tmp_path: Path) -> None:
    first = parts.resolve(PART, tmp_path, shell.Progress())
    assert parts.resolve(PART, tmp_path, shell.Progress()) == first
    assert (first / "thing").read_text() == "program"
    assert len(built) == 1


def test_two_at_once_build_once(built: list[Path], tmp_path: Path) -> None:
    def resolve() -> None:
        parts.resolve(PART, tmp_path, shell.Progress())

    threads = [threading.Thread(target=resolve) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(built) == 1


def test_an_unfinished_build_is_absent(
    built: list[Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def breaks(_: parts.Part, bin_dir: Path) -> None:
        (bin_dir / "other").write_text("half")
        raise LabError("killed")

    with monkeypatch.context() as patched:
        patched.setattr(parts, "_build", breaks)
        with pytest.raises(LabError, match="killed"):
            parts.resolve(PART, tmp_path, shell.Progress())
    assert parts.cached(PART, tmp_path) is None
    found = parts.resolve(PART, tmp_path, shell.Progress())
    assert [path.name for path in found.iterdir()] == ["thing"]


def test_neither_release_nor_build_says_why(
    built: list[Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(parts, "go_problem", lambda: "no Go toolchain")
    with pytest.raises(LabError, match=r"thing-v1: not cached, not downloadable.*no Go toolchain"):
        parts.resolve(PART, tmp_path, shell.Progress())


@pytest.mark.parametrize("versions", [Versions(), *UPGRADES.values()])
def test_every_part_has_a_pinned_module(versions: Versions) -> None:
    for part in parts.parts(versions, "amd64"):
        folder = parts.GOMOD / part.directory
        assert part.version in (folder / "go.mod").read_text()
        assert (folder / "go.sum").stat().st_size > 0
