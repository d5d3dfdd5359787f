"""Host keys are checked: only an option of the user's own turns that off, and it is told."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from quorate.harness.model.cluster import Ssh
from quorate.harness.run.host_keys import unchecked
from quorate.harness.run.plan import Planning
from quorate.harness.run.plan_text import render_plan
from quorate.harness.run.play import read_experiment, read_source
from tests import paper_lab

OFF = re.compile(
    r"StrictHostKeyChecking[ =]*(no|off)|UserKnownHostsFile[ =]*(/dev/null|none)", re.I
)


@pytest.mark.parametrize(
    "option",
    [
        "StrictHostKeyChecking=no",
        "-oStrictHostKeyChecking=no",
        "stricthostkeychecking off",
        "UserKnownHostsFile=/dev/null",
        "-o UserKnownHostsFile /dev/null",
    ],
)
def test_what_turns_the_check_off_is_told(option: str) -> None:
    (said,) = unchecked(Ssh(options=("-o", option)))
    assert repr(option) in said


@pytest.mark.parametrize(
    "option",
    ["StrictHostKeyChecking=yes", "UserKnownHostsFile=/etc/nodes", "ConnectTimeout=3", "-i", "no"],
)
def test_other_options_are_not(option: str) -> None:
    assert unchecked(Ssh(options=("-o", option))) == ()


def test_a_plan_says_it(tmp_path: Path, root: Path) -> None:
    drivers = paper_lab.drivers()
    experiment = read_experiment(read_source(root / "experiments" / "etcd_isolate.yaml"))
    assert "Be warned" not in render_plan(
        Planning(experiment, drivers=drivers, seed=1).plan(tmp_path)
    )
    careless = Ssh(options=("-o", "StrictHostKeyChecking=no"))
    told = drivers.cluster.model_copy(update={"ssh": careless})
    object.__setattr__(drivers, "cluster", told)
    text = render_plan(Planning(experiment, drivers=drivers, seed=1).plan(tmp_path))
    assert "Be warned" in text
    assert "StrictHostKeyChecking=no" in text


def test_no_code_of_ours_turns_it_off(root: Path) -> None:
    """What looks for the words is this test's own subject."""
    folders = [root / name for name in ("harness", "probes", "reports", "src", "experiments")]
    files = [one for folder in folders for one in folder.rglob("*") if one.is_file()]
    assert len(files) > 300, "the listing is broken"
    found = [
        str(one)
        for one in {file.resolve() for file in files}
        if one.suffix in (".py", ".yaml", ".conf", ".j2", "")
        and one.name != "host_keys.py"
        and OFF.search(one.read_text(errors="replace"))
    ]
    assert found == []
    assert OFF.search('"-o", "StrictHostKeyChecking=no"')
