"""For each family of faults, a cluster that is broken in a known way: it must come out MISSED.

The VIP's control is in test_experiments.py, those of workers and pods are in test_workers.py.
"""

from __future__ import annotations

import pytest

from tests.lab import residue
from tests.lab.conftest import Lab, assert_nothing_is_left

pytestmark = pytest.mark.lab


@pytest.mark.parametrize(
    "control",
    ["apiserver_pause_unchecked", "etcd_without_quorum", "worker_drain_without_controllers"],
)
def test_it_is_missed(lab: Lab, untouched: residue.Untouched, control: str) -> None:
    played = lab.play_briefly(f"controls/{control}")
    assert played.exit_code == 1, played.output
    assert played.verdict["verdict"] == "MISSED"
    assert {gate["ok"] for gate in played.verdict["gates"]} == {True}, "and not for want of proof"
    assert_nothing_is_left(lab, untouched)
