"""The dead man's switch as data: what is armed where, and what disarms it."""

from __future__ import annotations

import pytest

from quorate.harness.faults.contract import MARK_CHARACTERS, Plan, mark_of
from quorate.harness.model.undo import Undo
from quorate.harness.run.switches import switches_for

PLAN = Plan("node_isolate-1", ("cp1",), mark="123155-0a79-node-isolate-1", deadline_s=90)


def undo(node: str, *argv: str) -> Undo:
    return Undo(id=f"x:{node}", injection="x", node=node, argv=argv, text="x")


def test_one_for_each_undo_on_a_node_and_none_for_the_harness() -> None:
    made = switches_for([undo("cp1", "a"), undo("harness", "b"), undo("w1", "c")], plan=PLAN)
    assert [(one.arm.node, one.arm.argv[-1]) for one in made] == [("cp1", "a"), ("w1", "c")]
    units = [one.arm.argv[1] for one in made]
    assert units == [f"--unit=quorate-{PLAN.mark}-1", f"--unit=quorate-{PLAN.mark}-2"]
    assert [one.disarm.argv[-1] for one in made] == [
        f"quorate-{PLAN.mark}-1.timer",
        f"quorate-{PLAN.mark}-2.timer",
    ]


def test_systemd_hands_the_undo_over_as_it_is() -> None:
    """`$` would be taken for a variable of systemd's own (systemd.service(5))."""
    (made,) = switches_for([undo("cp1", "sh", "-c", 'kill "$1" ${2}', "quorate", "$x")], plan=PLAN)
    assert made.arm.argv[-5:] == ("sh", "-c", 'kill "$$1" $${2}', "quorate", "$$x")


@pytest.mark.parametrize(
    ("run_id", "injection", "mark"),
    [
        ("20261123T123155Z-vip_drop-0a79", "node_isolate-1", "123155-0a79-node-isolate-1"),
        ("run_1", "file_put-2", "run-1-file-put-2"),
        (
            "20261123T123155Z-x-0a79",
            "a_fault_with_a_very_long_name_indeed-12",
            "123155-0a79-a-fault-with-a-very-long-12",
        ),
    ],
)
def test_a_mark_is_short_and_names_run_and_injection(
    run_id: str, injection: str, mark: str
) -> None:
    assert mark_of(run_id, injection) == mark
    assert len(mark) <= MARK_CHARACTERS
