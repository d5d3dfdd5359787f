"""The pieces of a soak: what is done once, and the row that it becomes."""

from __future__ import annotations

import functools
import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from quorate.harness.cluster.state import state_directory
from quorate.harness.undo.journal import JOURNAL_NAME, UndoJournal
from quorate.harness.undo.pending import PendingRuns
from tests.evidence import ROOT, Stamped, stamp
from tests.lab.conftest import SETTLES_S, WHOLE_S, Lab, eventually
from tests.lab.hurried import argv, hurried, shipped
from tests.lab.killing import Live, events_of, guardian_of, last_event, proved
from tests.lab.residue import Untouched

LONGEST_S = 25.0
"""Of a hurried run, for a fault whose first run has not yet been seen to end by itself."""
SETTLED_S = 240.0
SWITCHED_S = 120.0
HELD = ("lease", "ledger")
"""What is held by a run for as long as it lasts, and breaks nothing."""
OURS = ("lease quorate-run", "ConfigMap quorate-", "/run/quorate")
"""What a dead run leaves by design until `quorate undo`: its Lease, its registers, and an empty
folder."""


@dataclass(frozen=True)
class OfFault(Stamped):
    """What is about one fault, after which the lab must be as before."""

    fault: str

    @property
    def name(self) -> str:
        return self.fault

    @property
    def ok(self) -> bool:
        whole, left = getattr(self, "whole", ""), getattr(self, "left", "")
        return (whole, left) == ("yes", "nothing")


@dataclass(frozen=True)
class Kill(OfFault):
    killed: str
    at_s: str
    last_event: str
    taken_off_by: str
    took_s: str
    whole: str
    left: str


@dataclass(frozen=True)
class Signal(OfFault):
    signal: str
    at_s: str
    last_event: str
    exit_code: str
    took_s: str
    whole: str
    left: str


@dataclass(frozen=True)
class Reboot(OfFault):
    rebooted: str
    off_after_s: str
    off_by: str
    whole: str
    left: str

    @property
    def ok(self) -> bool:
        return super().ok and not self.off_by.startswith("only")


@dataclass(frozen=True)
class Played(Stamped):
    experiment: str
    exit_code: str
    verdict: str
    as_expected: str
    longest_outage_s: str
    time_to_whole_s: str
    took_s: str

    @property
    def name(self) -> str:
        return self.experiment

    @property
    def ok(self) -> bool:
        return self.as_expected == "yes"


class Soak:
    """The lab, what it was like untouched, and how long each fault's run lasts."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        eventually("the cluster is whole", lab.is_whole, timeout_s=WHOLE_S)
        self.untouched = Untouched(lab)
        self._longest_s: dict[str, float] = {}

    def document(self, fault: str, **arguments: object) -> Path:
        """A hurried experiment of the fault, on disk."""
        document = hurried(shipped(fault))
        document["method"][0]["provider"]["arguments"] |= arguments
        path = self.lab.runs / f"{fault}.yaml"
        path.write_text(yaml.safe_dump(document, sort_keys=False))
        return path

    def struck(self, fault: str, rng: random.Random) -> tuple[Live, float]:
        """A run at a random instant of its life; one that ended before is played again."""
        while True:
            at_s = rng.uniform(0.0, self._longest_s.get(fault, LONGEST_S))
            live = Live.start(self.lab, argv("run", str(self.document(fault))))
            try:
                live.process.wait(at_s)
            except subprocess.TimeoutExpired:
                return live, at_s
            self._longest_s[fault] = live.age_s
            self.aftermath()

    def aftermath(self) -> dict[str, str]:
        """Wait for the cluster, then look at everything."""
        try:
            eventually("the cluster is whole", self.lab.is_whole, timeout_s=WHOLE_S)
        except AssertionError:
            return {"whole": "NO", "left": "not looked at"}
        left = self.untouched.left(within_s=SETTLES_S)
        return {"whole": "yes", "left": "; ".join(left) or "nothing"}

    # --- the four kinds of pieces

    def kill(self, number: int, fault: str) -> Kill:
        """Even rows: the harness alone; odd ones: its guardian first."""
        rng = random.Random(f"kills {number}")
        live, at_s = self.struck(fault, rng)
        both = bool(number % 2)
        guardian = guardian_of(live.directory) if both and live.directory else None
        if guardian is not None:
            os.kill(guardian, signal.SIGKILL)
        live.process.kill()
        live.process.wait()
        struck = time.monotonic()
        last = last_event(live.directory)
        by = self._taken_off(live.directory, guarded=guardian is None, rng=rng)
        took_s = time.monotonic() - struck
        return Kill(
            **stamp(),
            fault=fault,
            killed="harness and guardian" if guardian else "harness",
            at_s=f"{at_s:.2f}",
            last_event=last,
            taken_off_by=by,
            took_s=f"{took_s:.1f}",
            **self.aftermath(),
        )

    def _taken_off(self, directory: Path | None, *, guarded: bool, rng: random.Random) -> str:
        written = directory is not None and (directory / JOURNAL_NAME).exists()
        journal = UndoJournal(directory / JOURNAL_NAME) if directory and written else None
        if journal is None or not journal.pending():
            self.lab.run("undo")
            return "nothing was on"
        if guarded:
            settled = "the guardian has settled the journal"
            eventually(settled, lambda: not journal.pending(), timeout_s=SETTLED_S)
            registry = PendingRuns(state_directory())
            eventually("the run is struck off", lambda: not registry.list(), timeout_s=10)
            return "guardian"
        if directory and self._has_switch_alone(directory) and rng.random() < 0.3:
            self._wait_for_switch()
            self.lab.run("undo")
            return "switch"
        self.lab.run("undo")
        return "undo"

    def _left_but(self, words: Sequence[str]) -> list[str]:
        """What is different now, without lines that hold one of these words."""
        return [one for one in self.untouched.now() if not any(word in one for word in words)]

    def _has_switch_alone(self, directory: Path) -> bool:
        """Whether a switch is armed, and all that is on is on nodes: no arrangement, no power."""
        pending = UndoJournal(directory / JOURNAL_NAME).pending()
        acted = any(one["kind"] == "injection_started" for one in events_of(directory))
        away = [one for one in pending if one.node == "harness" and one.injection not in HELD]
        return acted and not away

    def _wait_for_switch(self) -> None:
        """Until nothing of the fault is seen any more anywhere; its Lease stays until the undo."""

        def off() -> bool:
            return self.lab.is_whole() and not self._left_but(OURS)

        eventually("the switch has taken it off", off, timeout_s=SWITCHED_S)

    def signal(self, number: int, fault: str) -> Signal:
        """SIGINT and SIGTERM in turn."""
        rng = random.Random(f"signals {number}")
        which = (signal.SIGINT, signal.SIGTERM)[number % 2]
        live, at_s = self.struck(fault, rng)
        last = last_event(live.directory)
        live.process.send_signal(which)
        struck = time.monotonic()
        code = live.process.wait(SETTLED_S)
        took_s = time.monotonic() - struck
        pending = PendingRuns(state_directory()).list()
        after = self.aftermath()
        if pending:
            after["left"] = f"`quorate undo` is needed; {after['left']}"
            self.lab.run("undo")
        return Signal(
            **stamp(),
            fault=fault,
            signal=which.name,
            at_s=f"{at_s:.2f}",
            last_event=last,
            exit_code=str(code),
            took_s=f"{took_s:.1f}",
            **after,
        )

    def reboot(self, number: int, fault: str) -> Reboot:
        """Nobody is left to undo it: what comes off, came off by itself."""
        live = self._bitten(fault)
        assert live.directory is not None
        guardian = guardian_of(live.directory)
        assert guardian is not None
        os.kill(guardian, signal.SIGKILL)
        live.process.kill()
        live.process.wait()
        started = next(e for e in events_of(live.directory) if e["kind"] == "injection_started")
        node = str(started["data"]["nodes"][0])
        power = ("lab", "power", "--name", self.lab.name)
        self.lab.run(*power, "off", node)
        self.lab.run(*power, "on", node)
        since = time.monotonic()
        eventually("the cluster is whole", self.lab.is_whole, timeout_s=WHOLE_S)
        by = self._off_after_reboot(live.directory)
        off_after_s = time.monotonic() - since
        self.lab.run("undo")
        return Reboot(
            **stamp(),
            fault=fault,
            rebooted=node,
            off_after_s=f"{off_after_s:.0f}",
            off_by=by,
            **self.aftermath(),
        )

    def _bitten(self, fault: str) -> Live:
        """A run whose fault is proved; one that was refused (a busy machine) is played again."""
        while True:
            live = Live.start(self.lab, argv("run", str(self.document(fault, at_most_s=60.0))))
            over = functools.partial(_proved_or_over, live)
            eventually(f"{fault} is proved, or its run over", over, timeout_s=240)
            if live.process.poll() is None:
                return live
            self.aftermath()

    def _off_after_reboot(self, directory: Path) -> str:
        """`reboot` when nothing of the fault is left as soon as the cluster is whole."""
        arranged = any(e["kind"] == "arrangement_applied" for e in events_of(directory))

        words = (*OURS, "quorate-service") if arranged else OURS
        seen: list[str] = []

        def off() -> bool:
            try:
                seen[:] = self._left_but(words)
            except AssertionError as error:  # an API server that has just come back says nothing
                seen[:] = [f"cannot be looked at: {error}"]
            return not seen

        for by, timeout_s in (("reboot", 25.0), ("reboot; elsewhere the switch", SWITCHED_S)):
            try:
                eventually("it is off", off, timeout_s=timeout_s)
            except AssertionError:
                continue
            return by
        return f"only `quorate undo`: {'; '.join(seen)}"

    def play(self, number: int, path: str) -> Played:
        """An experiment as shipped, and whether it came out as a suite expects."""
        expected = dict(expectations())[path]
        started = time.monotonic()
        played = self.lab.play(path, timeout_s=900)
        took_s = time.monotonic() - started
        self.lab.run("undo")
        eventually("the cluster is whole", self.lab.is_whole, timeout_s=WHOLE_S)
        verdict = played.verdict
        return Played(
            **stamp(),
            experiment=path,
            exit_code=str(played.exit_code),
            verdict=str(verdict["verdict"]),
            as_expected="yes" if verdict["verdict"] == expected else f"NO: {expected} expected",
            longest_outage_s=value_of(verdict, "longest_outage_s"),
            time_to_whole_s=value_of(verdict, "time_to_whole_s"),
            took_s=f"{took_s:.0f}",
        )


def _proved_or_over(live: Live) -> bool:
    return proved(live.directory) or live.process.poll() is not None


def value_of(verdict: dict[str, Any], indicator: str) -> str:
    """The indicator's value of its first objective; - where there is none."""
    for one in verdict["objectives"]:
        if one["indicator"] == indicator and one["value"] is not None:
            return f"{float(one['value']):.2f}"
    return "-"


def expectations() -> Iterator[tuple[str, str]]:
    """Each experiment of the suites with what it must come out as, once."""
    seen = set()
    folder = ROOT / "experiments"
    for suite in sorted((folder / "suites").glob("*.yaml")):
        if suite.stem == "nginx":
            continue  # this lab balances by HAProxy
        for one in yaml.safe_load(suite.read_text())["experiments"]:
            path = (suite.parent / one["file"]).resolve().relative_to(folder).with_suffix("")
            if path not in seen:
                seen.add(path)
                yield str(path), str(one["expect"])
