"""The gate over real stored runs: what they are taken for, and what it asks of a cluster."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from quorate.harness import cli
from quorate.harness.cluster.file import write_cluster
from quorate.harness.errors import SpecError, UsageError
from quorate.harness.model.clearance import Clearance
from quorate.harness.model.cluster import Cluster
from quorate.harness.model.fingerprint import Fingerprint
from quorate.harness.model.verdict import State
from quorate.harness.run.gate import Gate, missing_part, read_age
from quorate.harness.run.live import Options
from quorate.harness.run.opening import Parts
from quorate.harness.run.outcome import Outcome
from quorate.harness.run.suite import read_suite
from quorate.harness.store.bounds_file import read_setting

MET, MISSED, OPEN = State.MET, State.MISSED, State.INCONCLUSIVE
DROP, CONTROL = (
    "20261123T123155Z-vip_drop_holder-0a79",
    ("20261123T155517Z-apiserver_pause_tcp_checked-9e9b"),
)
NOW = datetime(2026, 11, 23, 18, tzinfo=UTC)


def fingerprint(advert: str = "1") -> Fingerprint:
    settings = {"keepalived vrrp_instance api advert_int": advert}
    return Fingerprint.of({}, {"cp1": {}, "cp2": settings})


@dataclass
class Place:
    """A suite of two experiments, a stored run of each, and a cluster that says what it runs."""

    root: Path
    live: Fingerprint = field(default_factory=fingerprint)
    entered: list[str] = field(default_factory=list)
    settings: tuple[str, ...] = ()

    @property
    def runs(self) -> Path:
        return self.root / "runs"

    @property
    def options(self) -> Options:
        return Options(
            cluster=self.root / "cluster.yaml",
            runs=self.runs,
            settings=tuple(map(read_setting, self.settings)),
            parts=Parts(
                state_dir=self.root / "state",
                enter=lambda cluster: self.entered.append(cluster.name),
                connect=self._connect,
            ),
        )

    def _connect(self, cluster: Cluster) -> Any:
        return SimpleNamespace(kube=SimpleNamespace(close=lambda: None))

    def gate(self, *, now: datetime = NOW) -> Gate:
        suite = read_suite(self.root / "core.yaml")
        return Gate(suite, self.options, max_age_s=24 * 3600, now=lambda: now)

    def amend(self, run: str, file: str, change: Mapping[str, object]) -> None:
        path = self.runs / run / file
        path.write_text(json.dumps(json.loads(path.read_text()) | dict(change)))


@pytest.fixture
def place(tmp_path: Path, root: Path, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Place:
    made = Place(tmp_path)
    for run, name in ((DROP, "vip_drop_holder"), (CONTROL, "apiserver_pause_tcp_checked")):
        shutil.copytree(root / "tests" / "replay" / "stored" / run, made.runs / run)
        shutil.copy(made.runs / run / "experiment.yaml", tmp_path / f"{name}.yaml")
        made.amend(run, "run.json", {"cluster": cluster.name})
        (made.runs / run / "fingerprint.json").write_text(fingerprint().model_dump_json())
    write_cluster(cluster, tmp_path / "cluster.yaml")
    (tmp_path / "core.yaml").write_text(
        "format: 1\ntitle: Core\nexperiments:\n"
        "  - {file: vip_drop_holder.yaml, expect: MET}\n"
        "  - {file: apiserver_pause_tcp_checked.yaml, expect: MISSED}\n"
    )
    monkeypatch.setattr("quorate.harness.run.gate.read_fingerprint", lambda drivers: made.live)
    return made


def reason(said: Clearance, number: int = 0) -> str:
    assert said.state is not MET
    return said.standings[number].reason


def test_yes_from_two_stored_runs(place: Place) -> None:
    said = place.gate().ask()
    assert said.state is MET
    assert [one.run for one in said.standings] == [DROP, CONTROL]
    assert [one.verdict for one in said.standings] == [MET, MISSED]
    assert place.entered == ["paper"], "the cluster's namespace is entered before it is asked"


def test_a_changed_configuration_is_named(place: Place) -> None:
    place.live = fingerprint("3")
    said = place.gate().ask()
    assert said.state is OPEN
    assert reason(said) == "configuration changed: keepalived advert_int 1 → 3 on cp2"


def test_an_objective_that_was_missed_is_named(place: Place) -> None:
    suite = place.root / "core.yaml"
    suite.write_text(suite.read_text().replace("MISSED", "MET"))
    said = place.gate().ask()
    assert said.state is MISSED
    assert "MISSED, expected MET: longest_outage_s" in reason(said, 1)


def test_age_counts_from_the_start_of_the_run(place: Place) -> None:
    began = datetime(2026, 11, 23, 12, 31, 55, 709062, tzinfo=UTC)
    day = timedelta(days=1)
    # The second run began later and is younger than a day at both times.
    assert place.gate(now=began + day).ask().standings[0].state is MET
    said = place.gate(now=began + day + timedelta(milliseconds=1)).ask()
    assert "24 h 0 min old" in reason(said)
    assert said.standings[1].state is MET


def test_a_run_from_the_future_is_no_evidence(place: Place) -> None:
    began = datetime(2026, 11, 23, 12, 31, 55, 709062, tzinfo=UTC)
    # It had not ended yet, by this clock, which was set back in the middle of it.
    assert "from the future" in reason(place.gate(now=began + timedelta(seconds=5)).ask())


def test_a_run_of_a_changed_experiment_is_no_evidence(place: Place) -> None:
    file = place.root / "vip_drop_holder.yaml"
    file.write_text(file.read_text().replace("at_most: 5}", "at_most: 4}"))
    assert "has changed since: objectives" in reason(place.gate().ask())


def test_words_around_it_may_change(place: Place) -> None:
    file = place.root / "vip_drop_holder.yaml"
    file.write_text(
        "# checked by Anna\n" + file.read_text().replace("title: ", "title: Once more, ", 1)
    )
    assert place.gate().ask().state is MET


def test_a_bound_that_was_let_out_for_the_run_is_no_evidence(place: Place) -> None:
    place.settings = ("vip_drop_holder/longest_outage_s:api=4",)
    assert "a bound of it, has changed since: objectives" in reason(place.gate().ask())
    place.settings = ()
    bounds = [{"bound": "longest_outage_s:api", "at_most": 500, "source": "--set"}]
    place.amend(DROP, "run.json", {"bounds": bounds})
    assert "a bound of it, has changed since: objectives" in reason(place.gate().ask())


def test_a_run_of_another_cluster_is_no_evidence(place: Place) -> None:
    place.amend(DROP, "run.json", {"cluster": "other"})
    assert "of another cluster, 'other'" in reason(place.gate().ask())


def test_a_verdict_that_was_edited_is_no_evidence(place: Place) -> None:
    place.amend(CONTROL, "verdict.json", {"verdict": "MET"})
    assert "its verdict.json says MET, its files say MISSED" in reason(place.gate().ask(), 1)


def test_a_run_that_was_killed_is_no_evidence(place: Place) -> None:
    events = place.runs / DROP / "events.jsonl"
    events.write_text("".join(events.read_text().splitlines(keepends=True)[:-1]))
    assert "it crashed, or is still under way" in reason(place.gate().ask())


def test_a_run_without_a_fingerprint_is_no_evidence(place: Place) -> None:
    (place.runs / DROP / "fingerprint.json").unlink()
    assert "it holds no fingerprint" in reason(place.gate().ask())


@pytest.mark.parametrize(
    ("file", "text", "says"),
    [
        ("run.json", "{", "cannot be read"),
        ("run.json", '{"format": 99}', "newer than this quorate"),
        ("experiment.yaml", "title: x\n", "cannot be read"),
        ("verdict.json", "x", "cannot be read"),
        ("events.jsonl", "nonsense\n{}\n", "damaged"),
    ],
)
def test_a_damaged_run_is_no_evidence_and_no_crash(
    place: Place, file: str, text: str, says: str
) -> None:
    (place.runs / DROP / file).write_text(text)
    assert says in reason(place.gate().ask())


def test_what_is_no_run_is_left_alone(place: Place) -> None:
    (place.runs / "gameday-20261123T000000Z-core-0000").mkdir()
    (place.runs / "foreign").mkdir()
    (place.runs / "foreign" / "run.json").write_text("[]")
    assert place.gate().ask().state is MET


def test_no_run_at_all(place: Place) -> None:
    shutil.rmtree(place.runs)
    assert reason(place.gate().ask()) == "there is no run of it"


def test_no_while_an_undo_is_pending(place: Place) -> None:
    folder = place.root / "state" / "pending"
    folder.mkdir(parents=True)
    (folder / "x").write_text("/runs/x\n")
    said = place.gate().ask()
    assert said.state is OPEN
    assert "quorate undo" in said.problems[0]


def test_a_mistake_in_a_file_is_told_before_the_cluster_is_asked(place: Place) -> None:
    (place.root / "vip_drop_holder.yaml").write_text("title: only\n")
    with pytest.raises(SpecError):
        place.gate().ask()
    assert place.entered == []


def test_run_plays_only_what_is_missing(place: Place) -> None:
    shutil.rmtree(place.runs / DROP)
    gate = place.gate()
    missing = missing_part(gate.suite, gate.ask())
    assert [one.file.stem for one in missing.entries] == ["vip_drop_holder"]


def test_run_plays_nothing_when_the_answer_is_no_already(place: Place) -> None:
    suite = place.root / "core.yaml"
    suite.write_text(suite.read_text().replace("MISSED", "MET"))
    shutil.rmtree(place.runs / DROP)
    gate = place.gate()
    assert missing_part(gate.suite, gate.ask()).entries == ()


def test_run_plays_nothing_on_a_cluster_that_cannot_be_read(place: Place) -> None:
    place.live = Fingerprint.of({}, {}, missing=("files of cp1",))
    gate = place.gate()
    assert missing_part(gate.suite, gate.ask()).entries == ()


@pytest.mark.parametrize(
    ("text", "seconds"), [("24h", 86400), ("90m", 5400), ("7d", 604800), ("30s", 30)]
)
def test_ages(text: str, seconds: float) -> None:
    assert read_age(text) == seconds


@pytest.mark.parametrize("text", ["", "24", "h", "0h", "-1h", "1.5h", "24 hours"])
def test_what_is_no_age_is_usage(text: str) -> None:
    with pytest.raises(UsageError, match="24h"):
        read_age(text)


# --- the verb


@dataclass
class Verb:
    place: Place
    played: list[str] = field(default_factory=list)

    def __call__(self, *arguments: str) -> int:
        root = self.place.root
        given = ["--suite", str(root / "core.yaml"), "--cluster", str(root / "cluster.yaml")]
        with pytest.raises(SystemExit) as end:
            cli.main(["gate", *given, "--runs", str(self.place.runs), *arguments])
        assert isinstance(end.value.code, int)
        return end.value.code


@pytest.fixture
def verb(place: Place, monkeypatch: pytest.MonkeyPatch) -> Verb:
    made = Verb(place)

    def play(file: Path, *, options: Options) -> Outcome:
        made.played.append(file.stem)
        return Outcome(4, None, reason="an undo failed")

    monkeypatch.setenv("QUORATE_STATE", str(place.root / "state"))
    monkeypatch.setattr(Gate, "_fingerprint", lambda self, cluster: place.live)
    monkeypatch.setattr("quorate.harness.run.play.play", play)
    return made


YEARS = ("--max-age", "99999d")


def test_yes_is_0(verb: Verb, capfd: pytest.CaptureFixture[str]) -> None:
    assert verb(*YEARS) == 0
    out = capfd.readouterr().out
    assert out.startswith("yes: ")
    assert f"run {DROP}" in out
    assert verb.played == []


def test_missed_is_1(verb: Verb, capfd: pytest.CaptureFixture[str]) -> None:
    suite = verb.place.root / "core.yaml"
    suite.write_text(suite.read_text().replace("MISSED", "MET"))
    assert verb(*YEARS) == 1
    assert "no: an objective, or data safety, was missed" in capfd.readouterr().out


def test_void_is_3_and_nothing_is_played(verb: Verb, capfd: pytest.CaptureFixture[str]) -> None:
    verb.place.live = fingerprint("3")
    assert verb(*YEARS) == 3
    out = capfd.readouterr().out
    assert "2 experiments: configuration changed: keepalived advert_int 1 → 3 on cp2" in out
    assert verb.played == []


def test_too_old_is_3(verb: Verb, capfd: pytest.CaptureFixture[str]) -> None:
    assert verb("--max-age", "1s") == 3
    assert "at most 1 s is allowed" in capfd.readouterr().out


def test_usage_is_2(verb: Verb) -> None:
    assert verb("--max-age", "soon") == 2
    assert verb("--suite", "no-such-suite") == 2


def test_with_run_what_is_missing_is_played_and_a_failed_undo_is_4(verb: Verb) -> None:
    shutil.rmtree(verb.place.runs / DROP)
    assert verb(*YEARS, "--run") == 4
    assert verb.played == ["vip_drop_holder"]


def test_for_pipelines(verb: Verb, capfd: pytest.CaptureFixture[str]) -> None:
    verb.place.live = fingerprint("3")
    assert verb(*YEARS, "--json") == 3
    said = json.loads(capfd.readouterr().out)
    assert (said["answer"], said["exit_code"], said["suite"]) == ("no", 3, "core")
    first = said["experiments"][0]
    assert first["expected"] == "MET"
    assert first["passed_over"][0]["run"] == DROP
    assert first["reason"].startswith("configuration changed: ")
