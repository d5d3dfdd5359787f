"""The tests' own lab: made before the first test that asks for it, gone after the last.

It is called `ci`, so that it cannot be taken for a person's. `QUORATE_TEST_LAB=NAME` uses a lab
that is up instead, and leaves it up: for writing tests, not for evidence.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from quorate.harness.cluster.state import state_directory
from quorate.harness.lab import kubernetes, life, state
from quorate.harness.lab import node as machines
from quorate.harness.lab.plan import LabPlan
from quorate.harness.undo.journal import JOURNAL_NAME, UndoJournal
from tests.lab import host_state, hurried, residue

OWN_NAME = "ci"
UP_TIMEOUT_S = (
    2400  # with an empty cache the parts may have to be built: Kubernetes alone takes 5 min
)
DOWN_TIMEOUT_S = 180
TEST_TIMEOUT_S = 900
WHOLE_S = 180.0
SETTLES_S = 60.0
"""Controllers take back what they did about a fault: taints, endpoints, a node's conditions."""


def eventually(what: str, ask: Callable[[], bool], *, timeout_s: float) -> None:
    """Ask until it is so; a lab answers in its own time."""
    deadline = time.monotonic() + timeout_s
    while not ask():
        assert time.monotonic() < deadline, f"not within {timeout_s:.0f} s: {what}"
        time.sleep(0.5)


@dataclass(frozen=True)
class Played:
    """One `quorate run` (or `chaos run`): how it ended, and what it left."""

    exit_code: int
    output: str
    directory: Path

    @property
    def verdict(self) -> dict[str, Any]:
        """verdict.json as it lies on disk."""
        value: dict[str, Any] = json.loads((self.directory / "verdict.json").read_text())
        return value

    @property
    def events(self) -> list[dict[str, Any]]:
        """events.jsonl, line by line."""
        lines = (self.directory / "events.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines]

    def oks(self, kind: str) -> list[bool]:
        """How each event of a kind came out."""
        return [event["data"]["ok"] for event in self.events if event["kind"] == kind]


@dataclass(frozen=True)
class Lab:
    """A lab that is up: its command line, and its machines' consoles."""

    name: str
    cluster: Path
    runs: Path
    root: Path

    @classmethod
    def called(cls, name: str, *, runs: Path) -> Lab:
        """The lab of that name, up or not."""
        cluster = state_directory() / "labs" / name / "cluster.yaml"
        return cls(name, cluster, runs, Path(__file__).parents[2])

    def argv(self, *words: str) -> list[str]:
        """A quorate command line."""
        return [sys.executable, "-m", "quorate", *words]

    @property
    def environment(self) -> dict[str, str]:
        """The environment that makes this lab the cluster under test."""
        ours = {"QUORATE_CLUSTER": str(self.cluster), "QUORATE_RUNS": str(self.runs)}
        return dict(os.environ) | ours

    def run(
        self, *words: str, timeout_s: float = 300, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """A quorate command, with its output; `check` demands exit code 0."""
        done = _run(self.argv(*words), timeout_s=timeout_s, environment=self.environment)
        if check:
            assert done.returncode == 0, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    @functools.cached_property
    def plan(self) -> LabPlan:
        """The lab as its maker sees it: consoles and containers, without quorate's own start."""
        return state.load(self.name).plan

    def on(self, node: str, *argv: str) -> subprocess.CompletedProcess[str]:
        """A command on a node's console."""
        return _run(machines.console(self.plan, node, argv), timeout_s=120)

    def kubectl(self, *words: str) -> str:
        """What kubectl prints, asked through the VIP; it must succeed."""
        done = self.ask_kubectl(*words)
        assert done.returncode == 0, f"kubectl {words}: {done.stderr}"
        return done.stdout

    def ask_kubectl(self, *words: str) -> subprocess.CompletedProcess[str]:
        """kubectl through the VIP, however it ends."""
        return _run(kubernetes.kubectl_command(self.plan, *words), timeout_s=60)

    def powered(self) -> dict[str, str]:
        """Each machine and what its container is: `running`, or `absent` when it is off."""
        return {one.name: machines.state(self.plan, one.name) for one in self.plan.nodes}

    def is_whole(self) -> bool:
        """Every machine on, every node and every pod of kube-system Ready (one whose container
        crashed is held back by kubelet for a while), every API server ready (asked on its machine).
        """
        powered = self.powered()
        if set(powered.values()) != {"running"}:
            return False
        asked = self.ask_kubectl("get", "nodes", "--no-headers")
        ready = [line.split()[1] == "Ready" for line in asked.stdout.splitlines()]
        asked = self.ask_kubectl("get", "pods", "-n", "kube-system", "--no-headers")
        pods = [line.split()[1] for line in asked.stdout.splitlines()]
        full = bool(pods) and all(len(set(pod.split("/"))) == 1 for pod in pods)
        readyz = ("curl", "-skf", "-m", "2", "https://127.0.0.1:6443/readyz")
        servers = [self.on(node, *readyz).returncode for node in powered if node.startswith("cp")]
        whole = len(ready) == len(self.plan.kubernetes_nodes) and all(ready)
        return whole and full and not any(servers)

    def play(self, experiment: str, *words: str, timeout_s: float = 600) -> Played:
        """`quorate run` of an experiment, by its path under experiments/."""
        path = self.root / "experiments" / f"{experiment}.yaml"
        return self.play_argv(self.argv("run", str(path), *words), timeout_s=timeout_s)

    def play_briefly(self, name: str) -> Played:
        """The same with a shorter baseline: for how it comes out, not for figures."""
        argv = hurried.argv("run", str(self.brief(name)), mood=hurried.UNHURRIED)
        return self._in_sight(lambda: self.play_argv(argv, timeout_s=600))

    def play_in_sight(self, name: str) -> Played:
        """`play`, and once more where that run was blind."""
        return self._in_sight(lambda: self.play(name))

    def _in_sight(self, play: Callable[[], Played]) -> Played:
        """A run whose sampler was kept from its work by a busy machine says nothing about the
        cluster, and says so: it is played once more."""
        played = play()
        stored = played.directory / "verdict.json"
        gates = json.loads(stored.read_text())["gates"] if stored.exists() else []
        if [gate["name"] for gate in gates if not gate["ok"]] != ["prober"]:
            return played
        eventually("the cluster is whole", self.is_whole, timeout_s=WHOLE_S)
        return play()

    def brief(self, name: str) -> Path:
        """A copy of a shipped experiment with a shorter baseline."""
        shipped = yaml.safe_load((self.root / "experiments" / f"{name}.yaml").read_text())
        path = self.runs.with_name("brief") / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(hurried.brief(shipped), sort_keys=False))
        return path

    def play_argv(self, argv: Sequence[str], *, timeout_s: float) -> Played:
        """A command line that makes one run."""
        before = set(self.runs.glob("*"))
        done = _run(argv, timeout_s=timeout_s, environment=self.environment)
        return self.played(done, before=before)

    def played(self, done: subprocess.CompletedProcess[str], *, before: set[Path]) -> Played:
        """The one run directory that has appeared since `before`."""
        made = sorted(set(self.runs.glob("*")) - before)
        assert len(made) == 1, f"{len(made)} new runs; {done.stdout}{done.stderr}"
        return Played(done.returncode, done.stdout + done.stderr, made[0])


def _run(
    argv: Sequence[str], *, timeout_s: float, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        argv,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        env=environment,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The limit is the test's own: making the lab is limited by UP_TIMEOUT_S."""
    for item in items:
        if item.get_closest_marker("lab") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(TEST_TIMEOUT_S, func_only=True))


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """The lab, whole. Its end is a test too: the host must be as it was before."""
    borrowed = os.environ.get("QUORATE_TEST_LAB")
    name = borrowed or OWN_NAME
    called = Lab.called(name, runs=tmp_path_factory.mktemp("runs"))
    if borrowed:
        yield called
        return
    quorate = [sys.executable, "-m", "quorate", "lab"]
    _run([*quorate, "down", "--name", name], timeout_s=DOWN_TIMEOUT_S)  # what a killed pass left
    life.put_back_limits()  # what a lab had raised that the end of its machine has stopped
    before = host_state.snapshot()
    try:
        made = subprocess.run(
            [*quorate, "up", "--name", name, "--fix-host"],
            timeout=UP_TIMEOUT_S,
            check=False,
            stderr=sys.stderr,
        )
        assert made.returncode == 0, f"quorate lab up: exit code {made.returncode} (see above)"
        yield called
    finally:
        gone = _run([*quorate, "down", "--name", name], timeout_s=DOWN_TIMEOUT_S)
    assert gone.returncode == 0, gone.stderr
    left = host_state.remaining(before)
    assert left == [], "the lab changed its host:\n" + "\n".join(left)


@pytest.fixture(scope="session")
def untouched(lab: Lab) -> residue.Untouched:
    """The lab as it was when it was whole: what a test finds different, it has left behind."""
    eventually("the cluster is whole", lab.is_whole, timeout_s=WHOLE_S)
    return residue.Untouched(lab)


def assert_on_and_off(played: Played) -> None:
    """Its one fault was proved to bite and proved to be off, and nothing is pending."""
    for kind, proofs in (("injection_proved", [True]), ("undo_done", [True])):
        assert played.oks(kind) == proofs, played.output
    assert all(played.oks("arrangement_undone")), played.output
    assert played.exit_code in (0, 1), played.output
    assert not UndoJournal(played.directory / JOURNAL_NAME).pending(), played.output


def assert_nothing_is_left(lab: Lab, untouched: residue.Untouched) -> None:
    """The cluster is whole, and in a minute nothing is different on any node or in the API."""
    eventually("the cluster is whole", lab.is_whole, timeout_s=WHOLE_S)
    left = untouched.left(within_s=SETTLES_S)
    assert left == [], "left behind:\n" + "\n".join(left)
