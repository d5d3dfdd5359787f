from __future__ import annotations

from pathlib import Path

from quorate.harness.undo.pending import PendingRuns


def test_runs_are_listed_in_order_by_absolute_path(tmp_path: Path) -> None:
    registry = PendingRuns(tmp_path / "state")
    assert registry.list() == ()
    for name in ("20260102T000000Z-b-0001", "20260101T000000Z-a-0001"):
        registry.add(tmp_path / "runs" / name)
    assert [path.name[:8] for path in registry.list()] == ["20260101", "20260102"]
    assert all(path.is_absolute() for path in registry.list())


def test_an_entry_is_a_text_file_with_the_run_directory(tmp_path: Path) -> None:
    PendingRuns(tmp_path).add(tmp_path / "runs" / "r1")
    assert (tmp_path / "pending" / "r1").read_text() == f"{tmp_path / 'runs' / 'r1'}\n"


def test_adding_and_removing_twice_is_harmless(tmp_path: Path) -> None:
    registry = PendingRuns(tmp_path)
    run_dir = tmp_path / "runs" / "r1"
    registry.add(run_dir)
    registry.add(run_dir)
    assert registry.list() == (run_dir,)
    registry.remove(run_dir)
    registry.remove(run_dir)
    assert registry.list() == ()


def test_a_draft_left_by_a_crash_is_no_run(tmp_path: Path) -> None:
    registry = PendingRuns(tmp_path)
    registry.add(tmp_path / "r1")
    (registry.directory / ".r2.4711.draft").write_text("half")
    assert registry.list() == (tmp_path / "r1",)
