"""The harness is killed at every line of its journal: the guardian leaves nothing behind.

One fault of each family. It is played to the end first: that says how many lines there are. What is
journalled before anything is done about the fault, and settled after it, is the same in all, and is
died at in one.
"""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest
import yaml

from quorate.harness.cluster.state import state_directory
from quorate.harness.undo.journal import JOURNAL_NAME, UndoJournal
from quorate.harness.undo.pending import PendingRuns
from tests.lab import residue
from tests.lab.conftest import Lab, assert_nothing_is_left, assert_on_and_off, eventually
from tests.lab.hurried import argv, hurried, shipped
from tests.lab.killing import FAMILIES

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1800)]

SETTLED_S = 240.0
OF_EVERY_RUN = ("lease:", "ledger:")
"""Ids of undos that every run journals, whatever it breaks later."""
EVERYWHERE = "API server"
"""The family that dies at those lines too: at them no family differs from another."""
HOLDER = "jsonpath={.spec.holderIdentity}"


class Dying:
    """One family's run, to be killed at this line and at that one."""

    def __init__(self, lab: Lab, untouched: residue.Untouched, path: Path) -> None:
        self._lab = lab
        self._untouched = untouched
        self._path = path

    def lives(self) -> Path:
        """Play to the end, as test_faults.py does with other faults; the run directory."""
        played = self._lab.play_argv(argv("run", str(self._path)), timeout_s=600)
        assert_on_and_off(played)
        assert_nothing_is_left(self._lab, self._untouched)
        return played.directory

    def dies(self, when: str, number: int) -> list[str]:
        """Play with a death; the journal's entries then.

        Afterwards the guardian has settled it, without `quorate undo`; nothing is left anywhere.
        """
        command = argv("run", str(self._path), mood=(when, number))
        played = self._lab.play_argv(command, timeout_s=600)
        assert played.exit_code == -signal.SIGKILL, played.output
        written = entries(played.directory)
        if written:
            journal = UndoJournal(played.directory / JOURNAL_NAME)
            eventually("it is settled", lambda: journal.read().clean, timeout_s=SETTLED_S)
        if PendingRuns(state_directory()).list():  # it died before its guardian stood
            self._lab.run("undo")
        assert_nothing_is_left(self._lab, self._untouched)
        return written


def follower(lab: Lab, lease: str) -> str:
    """A control plane whose component does not hold this lease."""
    holder = lab.kubectl("get", "lease", lease, "-n", "kube-system", "-o", HOLDER)
    return next(one for one in lab.powered() if one.startswith("cp") and one not in holder)


def entries(directory: Path) -> list[str]:
    """`undo` or `settled`, line by line; a torn last line is none."""
    return [str(line["entry"]) for line in lines_of(directory)]


def lines_of(directory: Path) -> list[dict[str, Any]]:
    path = directory / JOURNAL_NAME
    lines = path.read_text().splitlines() if path.exists() else []
    return [json.loads(line) for line in lines if line.endswith("}")]


def about_the_fault(directory: Path) -> range:
    """The numbers of the lines, from 1, that are about the fault: first and last ones are of what
    every run has."""
    ids = [line.get("id") or line["undo"]["id"] for line in lines_of(directory)]
    ours = [n for n, one in enumerate(ids, start=1) if not one.startswith(OF_EVERY_RUN)]
    return range(ours[0], ours[-1] + 1)


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_killed_at_every_line_of_the_journal(
    lab: Lab, untouched: residue.Untouched, family: str, tmp_path: Path
) -> None:
    path = tmp_path / "dying.yaml"
    document = hurried(shipped(FAMILIES[family]))
    if family == "controllers":  # one that does not lead: else it ends each time, and kubelet
        # starts it again after a pause that doubles from crash to crash
        arguments = document["method"][0]["provider"]["arguments"]
        arguments["target"] = f"node:{follower(lab, 'kube-scheduler')}"
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    run = Dying(lab, untouched, path)
    lines = entries(whole := run.lives())
    about = about_the_fault(whole)
    assert 1 < about.start < about.stop <= len(lines), "the Lease is first and last"
    for number in range(1, len(lines) + 1) if family == EVERYWHERE else about:
        written = run.dies("after", number)
        assert written[:number] == lines[:number], "and the guardian has gone on from there"
    # The fault is off, and that is not yet written down: the guardian undoes it once more.
    run.dies("before", lines.index("settled") + 1)
