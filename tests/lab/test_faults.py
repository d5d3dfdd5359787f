"""Every fault of the catalogue on the real cluster: it bites, it comes off, it leaves nothing.

And while nothing is on, its proof says so.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.lab import residue, unproved
from tests.lab.conftest import (
    WHOLE_S,
    Lab,
    assert_nothing_is_left,
    assert_on_and_off,
    eventually,
)
from tests.lab.hurried import ON_THIS_LAB, argv, hurried, shipped
from tests.lab.killing import PLAYED

pytestmark = pytest.mark.lab

OTHERS = sorted(set(ON_THIS_LAB) - PLAYED)
"""test_crashes.py plays the rest to the end too, and asks the same of them."""

each_fault = pytest.mark.parametrize("name", ON_THIS_LAB)


@pytest.fixture(scope="module")
def looks(lab: Lab, untouched: residue.Untouched) -> dict[str, dict[str, Any]]:
    """Fault → how its proof came out with nothing on; and looking has changed nothing."""
    eventually("the cluster is whole", lab.is_whole, timeout_s=WHOLE_S)
    command = [sys.executable, "-m", unproved.__name__, str(lab.cluster)]
    done = subprocess.run(
        command, cwd=lab.root, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr
    assert_nothing_is_left(lab, untouched)
    found: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return found


@each_fault
def test_nothing_proves_it_while_nothing_is_on(looks: dict[str, Any], name: str) -> None:
    assert looks[name]["ok"] is False, looks[name]["evidence"]
    assert looks[name]["evidence"]


@pytest.mark.parametrize("name", OTHERS)
def test_it_bites_comes_off_and_leaves_nothing(
    lab: Lab, untouched: residue.Untouched, name: str, tmp_path: Path
) -> None:
    path = tmp_path / "tried.yaml"
    path.write_text(yaml.safe_dump(hurried(shipped(name)), sort_keys=False))
    assert_on_and_off(lab.play_argv(argv("run", str(path)), timeout_s=600))
    assert_nothing_is_left(lab, untouched)
