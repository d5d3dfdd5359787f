"""What a run comes to when its directory cannot be read or written any more."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from quorate.harness.errors import StoreError, UndoFailed
from quorate.harness.run.run import Run


def unreadable() -> None:
    raise StoreError("events.jsonl: Input/output error")


def stuck() -> None:
    raise UndoFailed([("file_put-1:cp1", StoreError("no"))], journal="undo.jsonl")


def run_of(faults_off: Any) -> Run:
    request: Any = SimpleNamespace(experiment=None)
    directory = SimpleNamespace(timeline=unreadable, append_event=lambda *_, **__: None)
    workings: Any = SimpleNamespace(
        directory=directory,
        injector=SimpleNamespace(faults_off=faults_off),
        guard=SimpleNamespace(heed=lambda: None),
        progress=SimpleNamespace(say=lambda text: None),
    )
    run = Run(request, workings=workings)
    run.stage = "steady"
    return run


def test_an_undo_that_failed_outranks_what_cannot_be_read() -> None:
    run = run_of(stuck)
    with pytest.raises(UndoFailed):
        run.undo(watch_until="whole", at_most_s=1.0)
    with pytest.raises(UndoFailed):
        run.conclude()


def test_what_cannot_be_read_is_said() -> None:
    with pytest.raises(StoreError, match="Input/output"):
        run_of(lambda: None).conclude()
