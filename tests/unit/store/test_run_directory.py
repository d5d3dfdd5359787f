from __future__ import annotations

import json
import re
import shutil
import threading
from pathlib import Path

import pytest

from quorate.harness.errors import StoreError
from quorate.harness.judge import judge
from quorate.harness.model.register import Operation
from quorate.harness.store.run_directory import ExperimentSource, RunDirectory

SAMPLE = {"k": 0, "due": 1.0, "start": 1.0, "end": 1.1, "o": "OK"}


def write_samples(run: RunDirectory, *rows: dict[str, object]) -> None:
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    run.samples_file("api").write_text(lines)


def test_a_new_run_is_private_and_says_who_it_is(run: RunDirectory, text: str) -> None:
    assert re.fullmatch(r"\d{8}T\d{6}Z-vip_drop_holder-[0-9a-f]{4}", run.run_id)
    for path in (run.path, *run.path.rglob("*")):
        assert path.stat().st_mode & 0o077 == 0, path
    identity = json.loads((run.path / "run.json").read_text())
    assert (identity["cluster"], identity["seed"], identity["format"]) == ("lab", 7, 1)
    assert (run.path / "experiment.yaml").read_text() == text
    assert run.experiment().title in text


def test_a_run_is_opened_again_with_the_same_base(run: RunDirectory) -> None:
    again = RunDirectory.open(run.path)
    assert (again.run_id, again.base_ns) == (run.run_id, run.base_ns)
    assert 0 <= again.now() < 60
    assert again.experiment() == run.experiment()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no run directory"),
        ("{", "cannot be read"),
        ("[]", "damaged"),
        ('{"format": 1, "id": "x", "base": {"monotonic_ns": 1}}', "damaged"),
        ('{"format": 2}', "newer"),
    ],
)
def test_foreign_corrupt_and_newer_runs_are_refused_by_name(
    tmp_path: Path, content: str | None, message: str
) -> None:
    if content is not None:
        (tmp_path / "run.json").write_text(content)
    with pytest.raises(StoreError, match=message) as caught:
        RunDirectory.open(tmp_path)
    assert str(tmp_path) in str(caught.value)


def test_events_come_back_in_time_order(run: RunDirectory) -> None:
    run.append_event("fact", t=9.0, component="vip", node=None, state="lost", good=False)
    run.append_event("fact", t=8.0000004, component="vip", node="cp1", state="held", good=True)
    facts = run.timeline().of_kind("fact")
    assert [event.t for event in facts] == [8.0, 9.0]
    assert facts[1].data["node"] is None


def test_events_of_many_threads_never_mix(run: RunDirectory) -> None:
    def work(number: int) -> None:
        for count in range(50):
            run.append_event("fact", number=number, count=count, text="x" * 200)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(run.timeline().of_kind("fact")) == 200


def test_a_torn_last_line_is_noted_and_left_out(run: RunDirectory) -> None:
    run.append_event("fact", component="vip")
    with (run.path / "events.jsonl").open("a") as file:
        file.write('{"t": 3.0, "kind": "fa')
    write_samples(run, SAMPLE)
    with run.samples_file("api").open("a") as file:
        file.write('{"k":1,"due"')
    timeline = run.timeline()
    assert len(timeline.events) == 2
    assert len(timeline.series["api"]) == 1
    assert timeline.notes == (
        "events.jsonl: the last line is torn and left out",
        "api.jsonl: the last line is torn and left out",
    )


@pytest.mark.parametrize("line", ["garbage", '{"k": 1}', "1, 2", '["k"]', "{}, {}"])
def test_damage_in_the_middle_is_an_error_with_file_and_line(run: RunDirectory, line: str) -> None:
    write_samples(run, SAMPLE)
    with run.samples_file("api").open("a") as file:
        file.write(line + "\n" + json.dumps({**SAMPLE, "k": 3}) + "\n")
    with pytest.raises(StoreError, match=r"api\.jsonl"):
        run.timeline()


@pytest.mark.parametrize(
    "change",
    [{"o": "MAYBE"}, {"k": "x"}, {"due": "x"}, {"k": 0.5}, {"w": ["1", "x"]}, {"r": 3}],
)
def test_a_line_that_is_no_sample_is_refused(run: RunDirectory, change: dict[str, object]) -> None:
    write_samples(run, {**SAMPLE, **change})
    with pytest.raises(StoreError, match=r"api\.jsonl:1: is no sample"):
        run.timeline()


def test_what_a_line_tells_of_registers_is_read(run: RunDirectory) -> None:
    told = {"r": ["2", "x.2.0", "10"], "w": ["2", "x.2.1", "10", None]}
    write_samples(run, {**SAMPLE, "start": 1.0, "end": 1.5, **told}, {**SAMPLE, "k": 3})
    assert run.timeline().operations == (
        Operation("2", "api", 1.0, 1.5, "x.2.0", "10"),
        Operation("2", "api", 1.0, 1.5, "x.2.1", None, "10", is_write=True),
    )


def test_samples_are_sorted_by_tick_with_all_their_columns(run: RunDirectory) -> None:
    late = {"k": 0, "due": 0.0, "start": 0.0, "end": 5.0, "o": "FAILED", "d": "timeout", "s": 0.2}
    write_samples(run, {**SAMPLE, "k": 1, "p": "abcd"}, {**SAMPLE, "k": 2}, late)
    series = run.timeline().series["api"]
    assert list(series.k) == [0, 1, 2]
    assert list(series.due) == [0.0, 1.0, 1.0]
    assert list(series.outcome) == [1, 0, 0]
    assert [series.texts[number] for number in series.detail] == ["timeout", "", ""]
    assert [series.texts[number] for number in series.peer] == ["", "abcd", ""]
    assert series.stalled_s == {0: 0.2}


def test_a_tick_that_stands_twice_is_refused(run: RunDirectory) -> None:
    write_samples(run, SAMPLE, {**SAMPLE, "k": 1}, SAMPLE)
    with pytest.raises(StoreError, match="tick 0 twice"):
        run.timeline()


def test_the_verdict_is_stored_byte_for_byte(run: RunDirectory) -> None:
    with pytest.raises(StoreError, match="quorate judge"):
        run.verdict()
    verdict = judge(run.experiment(), run.timeline())
    run.write_verdict(verdict)
    text = (run.path / "verdict.json").read_text()
    assert text == run.verdict().to_json()
    assert judge(RunDirectory.open(run.path).experiment(), run.timeline()).to_json() == text
    run.write_json("verdict.json", verdict.to_dict())
    assert (run.path / "verdict.json").read_text() == text


def test_a_write_that_fails_leaves_the_old_file(run: RunDirectory) -> None:
    run.write_json("sampler.json", {"a": 1})
    with pytest.raises(TypeError):
        run.write_json("sampler.json", {"a": object()})
    assert json.loads((run.path / "sampler.json").read_text()) == {"a": 1}
    assert [path.name for path in run.path.iterdir() if path.name.startswith(".")] == []


def test_a_document_handed_over_as_a_mapping_is_dumped_and_read_again(text: str) -> None:
    source = ExperimentSource.dump({"title": "t", "tags": ("a",)})
    assert (source.stem, "title: t" in source.text) == ("experiment", True)
    assert ExperimentSource(text, "a/b c.yaml").stem == "b_c"


def test_what_cannot_be_written_is_an_error_of_ours(run: RunDirectory) -> None:
    shutil.rmtree(run.path)
    with pytest.raises(StoreError, match=r"verdict\.json: cannot be written"):
        run.write_text("verdict.json", "")
