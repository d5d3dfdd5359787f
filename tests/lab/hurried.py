"""`quorate` in a hurry: the real program, with less waiting, and able to die at a chosen moment.

    hurried.py never|before|after|unhurried N ARGUMENTS

For tests that ask whether faults come off, not for figures: what is shortened is the baseline, and
how long clients must have been well before a watch ends. `before` and `after` are about the N-th
line (from 1) of the undo journal being written and synced: there the process sends SIGKILL to
itself, so nothing of it runs on: no handler, no finally. The guardian is left to its own.
`unhurried` shortens the baseline alone, for tests that ask how a shipped experiment comes out.
"""

from __future__ import annotations

import copy
import os
import signal
import sys
from pathlib import Path
from typing import Any

import yaml

from quorate.harness.cli import main
from quorate.harness.faults.catalogue import FAULTS
from quorate.harness.judge import gates
from quorate.harness.model import experiment
from quorate.harness.run import pace, sampling
from quorate.harness.undo.journal import UndoJournal

ON_THIS_LAB = tuple(sorted(name for name in FAULTS if not name.startswith("nginx_")))
"""The faults that its cluster can have: it balances by HAProxy."""

PROGRAM = Path(__file__)
EXPERIMENTS = Path(__file__).parents[2] / "experiments"
PROBES = {
    "api": {"probe": "api_quorum_read", "path": "vip", "connection": "new", "rate_hz": 20},
    "api_reused": {
        "probe": "api_quorum_read",
        "path": "vip",
        "connection": "reused",
        "rate_hz": 40,
    },
}
OBJECTIVES = [
    {"indicator": "bad_samples", "of": "api", "deadline_s": 1, "during": "baseline", "at_most": 0},
    {"indicator": "time_to_whole_s", "since": "undo", "at_most": 120},
]
COREDNS = "k8s-app=kube-dns"
BASELINE_SAMPLES = 60
"""Instead of 300."""
BASELINE_S = 1.2
BRIEF_BASELINE_S = 3.2
"""At the 20 Hz of a shipped experiment's one probe."""
WATCHED_S = 6.0
UNHURRIED = ("unhurried", 0)


def argv(*arguments: str, mood: tuple[str, int] = ("never", 0)) -> list[str]:
    """The command line of a hurried `quorate` that dies at a line of its journal, or never."""
    when, number = mood
    return [sys.executable, str(PROGRAM), when, str(number), *arguments]


def shipped(fault: str) -> dict[str, Any]:
    """The first experiment of the top folder whose method begins with this fault.

    Raises:
        LookupError: there is none.
    """
    for path in sorted(EXPERIMENTS.glob("*.yaml")):
        document: dict[str, Any] = yaml.safe_load(path.read_text())
        if document["method"][0]["provider"]["func"] == fault:
            return document
    raise LookupError(f"no experiment begins with {fault}")


def hurried(document: dict[str, Any]) -> dict[str, Any]:
    """The same fault on the same target, with a baseline and a watch as short as they can be.

    The service under watch is not deployed, since nobody watches it: its deletion alone takes
    longer than all the rest. A fault of its pods or nodes is put on CoreDNS's.
    """
    document = copy.deepcopy(document)
    ours = document["extensions"][0]
    ours.pop("abort_when", None)
    ours |= {"baseline_s": BASELINE_S, "probes": PROBES, "objectives": OBJECTIVES}
    ours["given"] = [one for one in ours.get("given", ()) if one != "service_deployed"]
    arguments = document["method"][0]["provider"]["arguments"]
    arguments["at_most_s"] = WATCHED_S
    func = document["method"][0]["provider"]["func"]
    if func in ("pod_kill", "worker_drain"):
        arguments["target"] = f"worker:running={COREDNS}"
    if func == "pod_kill":
        arguments |= {"namespace": "kube-system", "selector": COREDNS}
    return document


def brief(document: dict[str, Any]) -> dict[str, Any]:
    """As it is shipped, but for the baseline's length."""
    document = copy.deepcopy(document)
    document["extensions"][0]["baseline_s"] = BRIEF_BASELINE_S
    return document


def need_fewer_samples() -> None:
    """A baseline is enough sooner."""
    for module in (experiment, sampling, gates):  # each knows it by its own name
        vars(module)["BASELINE_SAMPLES"] = BASELINE_SAMPLES


def hurry() -> None:
    """Wait for no more than the cluster needs."""
    pace.IN_FLIGHT_S = 0.3
    pace.RECOVERED_AFTER_S = 0.5
    pace.STEADY_S = 0.5
    pace.WHOLE_STEADY_S = 0.5


def die(when: str, number: int) -> None:
    """Make this process kill itself around the N-th line of its undo journal."""
    append = UndoJournal._append
    written = 0

    def dying(journal: UndoJournal, entry: dict[str, object]) -> None:
        nonlocal written
        written += 1
        if (when, number) == ("before", written):
            os.kill(os.getpid(), signal.SIGKILL)
        append(journal, entry)
        if (when, number) == ("after", written):
            os.kill(os.getpid(), signal.SIGKILL)

    UndoJournal._append = dying  # type: ignore[method-assign, assignment]


if __name__ == "__main__":
    need_fewer_samples()
    if sys.argv[1] != UNHURRIED[0]:
        hurry()
    die(sys.argv[1], int(sys.argv[2]))
    main(sys.argv[3:])
