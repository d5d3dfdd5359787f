"""A pytest inside of this one, and runs that were never played: their verdicts are written."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

import pytest

from quorate.harness.model.verdict import (
    Gate,
    ObjectiveResult,
    PredictionResult,
    State,
    Story,
    Verdict,
)
from quorate.harness.run import live, play, shipped
from quorate.harness.run.outcome import EXIT_CODES, Outcome
from quorate.harness.store.run_directory import ExperimentSource, RunDirectory

OUTAGE_S = {State.MET: 2.0, State.MISSED: 6.25, State.INCONCLUSIVE: 2.0}


def verdict_of(run_id: str, state: State, *, said: str = "the sampler was blind") -> Verdict:
    """One objective and its prediction; INCONCLUSIVE by a gate."""
    about = {"of": ("api",), "during": "fault", "deadline_s": 1.0}
    outage_s = OUTAGE_S[state]
    objective = ObjectiveResult(
        indicator="longest_outage_s",
        bound=5.0,
        bounds={"experiment": 5.0},
        value=outage_s,
        low=outage_s - 0.05,
        high=outage_s + 0.05,
        unit="s",
        state=State.MISSED if state is State.MISSED else State.MET,
        at=(20.0, 20.0 + outage_s),
        **about,
    )
    predicted = PredictionResult(
        what="longest_outage_s", low=1.2, high=3.6, formula="3 × advert_int + skew", **about
    )
    gate = Gate(name="prober", ok=state is not State.INCONCLUSIVE, reason=said)
    return Verdict(
        run_id=run_id,
        title="Losing the holder",
        verdict=state,
        objectives=(objective,),
        gates=(gate,),
        story=Story(),
        predicted=(predicted,),
    )


def store(runs: Path, state: State, *, file: Path, said: str = "the sampler was blind") -> Path:
    """A run directory with that verdict."""
    made = RunDirectory.create(
        runs,
        experiment=play.read_experiment(play.read_source(file)),
        source=ExperimentSource.read(file),
        cluster_name="paper",
        seed=1,
    )
    made.write_verdict(verdict_of(made.run_id, state, said=said))
    return made.path


@dataclass
class Player:
    """Stands in for `play.play`: each experiment comes to what `comes_to` says by its name."""

    runs: Path
    comes_to: dict[str, State | Outcome | BaseException] = field(default_factory=dict)
    played: list[str] = field(default_factory=list)
    options: list[live.Options] = field(default_factory=list)

    def play(self, path: Path, *, options: live.Options) -> Outcome:
        self.played.append(path.stem)
        self.options.append(options)
        came = self.comes_to.get(path.stem, State.MET)
        if isinstance(came, BaseException):
            raise came
        if isinstance(came, Outcome):
            return came
        return Outcome(EXIT_CODES[came], came, store(self.runs, came, file=path))


@pytest.fixture
def player(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Player:
    made = Player(tmp_path / "stored")
    monkeypatch.setattr(play, "play", made.play)
    for name in ("QUORATE_CLUSTER", "QUORATE_RUNS", "PYTEST_XDIST_WORKER", "PYTEST_ADDOPTS"):
        monkeypatch.delenv(name, raising=False)
    return made


@dataclass
class Project:
    """A stranger's project, and what a pytest in it came to."""

    pytester: pytest.Pytester

    @property
    def path(self) -> Path:
        return self.pytester.path

    def ship(
        self, name: str, *, to: str = "experiments", change: Callable[[str], str] = str
    ) -> Path:
        """A copy of a shipped experiment."""
        file = self.path / to / f"{Path(name).name}.yaml"
        file.parent.mkdir(exist_ok=True)
        shutil.copy(shipped.find(name), file)
        file.write_text(change(file.read_text()))
        return file

    def run(self, *arguments: str, armed: bool = True) -> pytest.RunResult:
        (self.path / "cluster.yaml").write_text("")
        arm = ("--quorate-cluster", "cluster.yaml") if armed else ()
        # hypothesis would be imported by each of them, for its summary
        fixed = (
            "-p",
            "no:hypothesispytest",
            "-p",
            "no:cacheprovider",
            "--junitxml=junit.xml",
            "--strict-markers",
            "-ra",
        )
        return self.pytester.runpytest_inprocess(*fixed, *arm, *arguments)

    @property
    def cases(self) -> list[ElementTree.Element]:
        """The testcases in the JUnit file."""
        return list(ElementTree.parse(self.path / "junit.xml").getroot().iter("testcase"))

    @property
    def properties(self) -> dict[str, str]:
        found = (one for case in self.cases for one in case.iter("property"))
        return {one.attrib["name"]: one.attrib["value"] for one in found}


@pytest.fixture
def project(pytester: pytest.Pytester, player: Player) -> Project:
    return Project(pytester)


def children(case: ElementTree.Element) -> list[str]:
    """What a testcase came to: failure, error, skipped; nothing where it passed."""
    told = ("properties", "system-out", "system-err")
    return [one.tag for one in case if one.tag not in told]
