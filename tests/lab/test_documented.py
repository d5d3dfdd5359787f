"""The commands of README and docs, in the order in which a reader meets them, on the lab."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests import documented
from tests.lab import residue
from tests.lab.conftest import WHOLE_S, Lab, assert_nothing_is_left, eventually

pytestmark = pytest.mark.lab

EXAMPLE = "runs/20260101T120000Z-vip_drop_holder-1a2b"


def test_what_is_documented_works(
    root: Path, lab: Lab, untouched: residue.Untouched, tmp_path: Path
) -> None:
    """The cluster comes from $QUORATE_CLUSTER: another lab may be running on this machine."""
    (tmp_path / "experiments").symlink_to(root / "experiments")
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("QUORATE_")
    }
    environment["QUORATE_CLUSTER"] = str(lab.cluster)
    programs = Path(sys.executable).parent
    eventually("the cluster is whole", lab.is_whole, timeout_s=WHOLE_S)
    for command, exit_codes in documented.ON_THE_LAB.items():
        made = sorted((tmp_path / "runs").glob("*-vip_drop_holder-*"))
        given = command.replace(EXAMPLE, f"runs/{made[0].name}") if made else command
        given = given.replace("lab kubectl", f"lab kubectl --name {lab.name}")
        given = given.replace("cluster.yaml", str(lab.cluster))
        done = documented.play(given, programs=programs, folder=tmp_path, environment=environment)
        assert done.returncode in exit_codes, f"{given}\n{done.stdout}{done.stderr}"
    assert "MET" in (tmp_path / "report.html").read_text()
    assert "longest_outage_s" in (tmp_path / "junit.xml").read_text()
    assert_nothing_is_left(lab, untouched)
