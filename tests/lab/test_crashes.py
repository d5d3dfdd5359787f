"""The harness is killed at every line of its journal: the guardian leaves nothing behind.

One fault of each family. The last number of a family is the one at which the run ends by itself,
so that no line is left out when a fault gets more of them.
"""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest
import yaml

from quorate.harness.cluster.state import state_directory
from quorate.harness.undo.journal import JOURNAL_NAME, UndoJournal
from quorate.harness.undo.pending import PendingRuns
from tests.lab import residue
from tests.lab.conftest import Lab, assert_nothing_is_left, eventually
from tests.lab.hurried import argv, hurried, shipped

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1800)]

FAMILIES = {
    "node": "node_power_off",
    "API server": "apiserver_pause",
    "etcd": "etcd_isolate",
    "VIP and load balancer": "haproxy_pause",
    "controllers": "scheduler_pause",
    "worker and pods": "worker_drain",
}
MOST_LINES = 60
SETTLED_S = 240.0
HOLDER = "jsonpath={.spec.holderIdentity}"


class Dying:
    """One family's run, to be killed at this line and at that one."""

    def __init__(self, lab: Lab, untouched: residue.Untouched, path: Path) -> None:
        self._lab = lab
        self._untouched = untouched
        self._path = path

    def dies(self, when: str, number: int) -> tuple[int, list[str]]:
        """Play with a death; the exit code (negative: the signal) and the journal's entries then.

        Afterwards the guardian has settled it, without `quorate undo`; nothing is left anywhere.
        """
        command = argv("run", str(self._path), mood=(when, number))
        played = self._lab.play_argv(command, timeout_s=600)
        written = entries(played.directory)
        if written:
            journal = UndoJournal(played.directory / JOURNAL_NAME)
            eventually("it is settled", lambda: journal.read().clean, timeout_s=SETTLED_S)
        if PendingRuns(state_directory()).list():  # it died before its guardian stood
            self._lab.run("undo")
        assert_nothing_is_left(self._lab, self._untouched)
        return played.exit_code, written


def follower(lab: Lab, lease: str) -> str:
    """A control plane whose component does not hold this lease."""
    holder = lab.kubectl("get", "lease", lease, "-n", "kube-system", "-o", HOLDER)
    return next(one for one in lab.powered() if one.startswith("cp") and one not in holder)


def entries(directory: Path) -> list[str]:
    """`undo` or `settled`, line by line; a torn last line is none."""
    path = directory / JOURNAL_NAME
    lines = path.read_text().splitlines() if path.exists() else []
    return [str(json.loads(line)["entry"]) for line in lines if line.endswith("}")]


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
    last: list[str] = []
    for number in range(1, MOST_LINES):
        code, written = run.dies("after", number)
        if code != -signal.SIGKILL:
            last = written
            break
    assert last.count("undo") >= 2, "the Lease, and the fault; of faults on a node, a switch too"
    # The fault is off, and that is not yet written down: the guardian undoes it once more.
    code, written = run.dies("before", last.index("settled") + 1)
    assert code == -signal.SIGKILL
