"""Every fault of the catalogue on the real cluster: it bites, it comes off, it leaves nothing.

And with its act replaced by `true`, its proof says so.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from quorate.harness.faults.catalogue import FAULTS
from tests.lab import residue
from tests.lab.conftest import Lab, Played, eventually

pytestmark = pytest.mark.lab

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
each_fault = pytest.mark.parametrize("name", sorted(FAULTS))

WHOLE_S = 180.0
SETTLES_S = 60.0
"""Controllers take back what they did about a fault: taints, endpoints, a node's conditions."""


def shipped(name: str) -> dict[str, Any]:
    """The first experiment of the top folder that begins with this fault."""
    for path in sorted(EXPERIMENTS.glob("*.yaml")):
        document: dict[str, Any] = yaml.safe_load(path.read_text())
        if document["method"][0]["provider"]["func"] == name:
            return document
    raise AssertionError(f"no experiment begins with {name}")


def quickly(document: dict[str, Any]) -> dict[str, Any]:
    """With as short a baseline as its samples allow, and no longer a watch than it takes."""
    ours = document["extensions"][0]
    rate_hz = sum(probe["rate_hz"] for probe in ours["probes"].values())
    ours["baseline_s"] = 300 / rate_hz + 0.5
    return document


def play(lab: Lab, document: dict[str, Any], folder: Path) -> Played:
    path = folder / "tried.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    before = set(lab.runs.glob("*"))
    done = lab.run("run", str(path), timeout_s=600, check=False)
    return lab.played(done, before=before)


def data_of(played: Played, kind: str) -> list[dict[str, Any]]:
    return [event["data"] for event in played.events if event["kind"] == kind]


def assert_nothing_is_left(lab: Lab, before: residue.Snapshot) -> None:
    """The cluster is whole, and in a minute nothing is different on any node or in the API."""
    eventually("the cluster is whole", lab.is_whole, timeout_s=WHOLE_S)
    left: list[str] = []

    def is_gone() -> bool:
        left[:] = residue.differences(before, residue.snapshot(lab))
        return not left

    try:
        eventually("nothing is left", is_gone, timeout_s=SETTLES_S)
    except AssertionError:
        raise AssertionError("left behind:\n" + "\n".join(left)) from None


@each_fault
def test_it_bites_comes_off_and_leaves_nothing(lab: Lab, name: str, tmp_path: Path) -> None:
    eventually("the cluster is whole", lab.is_whole, timeout_s=WHOLE_S)
    before = residue.snapshot(lab)
    played = play(lab, quickly(shipped(name)), tmp_path)
    assert [one["ok"] for one in data_of(played, "injection_proved")] == [True], played.output
    assert all(one["ok"] for one in data_of(played, "undo_done")), played.output
    assert all(one["ok"] for one in data_of(played, "arrangement_undone")), played.output
    assert played.exit_code in (0, 1), played.output
    assert '"settled"' in (played.directory / "undo.jsonl").read_text()
    assert_nothing_is_left(lab, before)


@each_fault
def test_an_act_replaced_by_true_is_not_proved(lab: Lab, name: str, tmp_path: Path) -> None:
    eventually("the cluster is whole", lab.is_whole, timeout_s=WHOLE_S)
    document = quickly(shipped(name))
    ours = document["extensions"][0]
    ours["given"] = [*ours.get("given", ()), "acts_do_nothing"]
    before = residue.snapshot(lab)
    played = play(lab, document, tmp_path)
    assert [one["ok"] for one in data_of(played, "injection_proved")] == [False], played.output
    assert played.exit_code == 3, played.output
    assert played.verdict["verdict"] == "INCONCLUSIVE"
    assert_nothing_is_left(lab, before)
