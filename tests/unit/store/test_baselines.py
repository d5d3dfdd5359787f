"""Baselines on disk: found by question and cluster, and by nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from quorate.harness.errors import StoreError
from quorate.harness.model.experiment import Experiment
from quorate.harness.model.fingerprint import Fingerprint
from quorate.harness.model.repetition import Baseline, Measured, Point
from quorate.harness.store.baselines import Baselines, question_of

ONE = Fingerprint.of({"a": "1"}, {"cp1": {"x": "1"}})
OTHER = Fingerprint.of({"a": "2"}, {"cp1": {"x": "1"}})


def baseline(fingerprint: Fingerprint = ONE, *, saved: str = "2026-01-01", **more: Any) -> Baseline:
    measured = Measured(
        indicator="time_to_whole_s",
        of=(),
        during="since undo",
        deadline_s=None,
        unit="s",
        values=(Point(value=3.0), Point(value=9.0, censored=True)),
    )
    fields = {"experiment": "experiments/x.yaml", "question": "q1", "quorate_version": "0.1.0"}
    return Baseline(
        **(fields | more), fingerprint=fingerprint, saved=saved, runs=("r",), measured=(measured,)
    )


def test_what_is_saved_is_found(tmp_path: Path) -> None:
    store = Baselines(tmp_path)
    assert store.find(question="q1", fingerprint=ONE.id) is None
    path = store.save(baseline())
    assert path == tmp_path / "baselines" / f"x-q1-{ONE.id}.json"
    assert path.stat().st_mode & 0o077 == 0
    assert store.find(question="q1", fingerprint=ONE.id) == (path, baseline())
    assert store.find(question="q2", fingerprint=ONE.id) is None
    assert store.find(question="q1", fingerprint=OTHER.id) is None


def test_a_new_one_takes_the_place_of_the_old(tmp_path: Path) -> None:
    store = Baselines(tmp_path)
    store.save(baseline())
    store.save(baseline(saved="2026-02-02"))
    found = store.find(question="q1", fingerprint=ONE.id)
    assert found is not None
    assert found[1].saved == "2026-02-02"
    assert len(list((tmp_path / "baselines").iterdir())) == 1


def test_the_newest_of_another_cluster(tmp_path: Path) -> None:
    store = Baselines(tmp_path)
    assert store.newest(question="q1") is None
    store.save(baseline(OTHER, saved="2026-03-03"))
    store.save(baseline(ONE))
    newest = store.newest(question="q1")
    assert newest is not None
    assert newest.fingerprint == OTHER


def test_a_damaged_one_is_named(tmp_path: Path) -> None:
    store = Baselines(tmp_path)
    path = store.save(baseline())
    path.write_text("{}")
    with pytest.raises(StoreError, match=str(path)):
        store.find(question="q1", fingerprint=ONE.id)


def changed(text: str, change: Any) -> str:
    document = yaml.safe_load(text)
    change(document, document["extensions"][0])
    return question_of(Experiment.from_mapping(document))


def test_words_and_bounds_are_no_other_question(text: str) -> None:
    same = changed(text, lambda document, ours: None)

    def reword(document: Any, ours: Any) -> None:
        document["title"] = document["description"] = "other words"
        document["method"][0]["name"] = "another name"
        ours["objectives"][0]["at_most"] = 9

    assert changed(text, reword) == same
    for other in (
        lambda document, ours: ours["probes"]["api"].update(rate_hz=10),
        lambda document, ours: ours["objectives"][0].update(deadline_s=2),
        lambda document, ours: ours.update(given=["keepalived_backups_stopped"]),
        lambda document, ours: document["method"][0]["provider"]["arguments"].update(at_most_s=50),
    ):
        assert changed(text, other) != same
