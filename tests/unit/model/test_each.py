"""``path: apiserver:each``: a line for each API server, whatever the nodes are called."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from quorate.harness.errors import SpecError
from quorate.harness.model import each
from quorate.harness.model.experiment import Experiment

NODES = ["cp1", "cp-2.example"]
EACH = {"probe": "api_quorum_read", "path": "apiserver:each", "connection": "new", "rate_hz": 5}


@pytest.fixture
def document(root: Path) -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((root / "experiments/vip_drop_holder.yaml").read_text())
    read["extensions"][0]["probes"]["server"] = dict(EACH)
    return read


def plan_of(document: dict[str, Any]) -> dict[str, Any]:
    plan: dict[str, Any] = document["extensions"][0]
    return plan


def test_a_probe_and_its_objectives_are_one_for_each(document: dict[str, Any]) -> None:
    lines = plan_of(document)["objectives"]
    before = len(lines)
    lines += [
        {"indicator": "longest_outage_s", "of": "server", "at_most": 300},
        {"indicator": "bad_samples", "of": "server", "at_most": 3},
        {"indicator": "bad_samples", "of": ["api", "server"], "at_most": 4},
    ]
    assert each.is_meant(Experiment.from_mapping(document))
    spread = each.spread(document, nodes=NODES)
    read = Experiment.from_mapping(spread)
    assert not each.is_meant(read)
    assert list(read.probes) == ["api", "api_reused", "server_cp1", "server_cp_2_example"]
    assert read.probes["server_cp_2_example"].path == "apiserver:cp-2.example"
    assert read.probes["server_cp1"].rate_hz == 5
    assert [name for name in read.bound_names[before:] if "server" in name] == [
        "longest_outage_s:server_cp1:fault:1s",
        "longest_outage_s:server_cp_2_example:fault:1s",
        "bad_samples:server_cp1:server_cp_2_example:fault:1s",
        "bad_samples:api:server_cp1:server_cp_2_example:fault:1s",
    ]
    assert plan_of(document)["probes"]["server"] == EACH, "the document itself is as it was"


@pytest.mark.parametrize(
    "nodes",
    [["ip-10-0-1-23.eu-central-1.compute.internal", "cp2"], ["cp-1", "cp.1"]],
    ids=["too long", "twice the same"],
)
def test_where_names_do_not_fit_they_are_numbers(
    document: dict[str, Any], nodes: list[str]
) -> None:
    probes = plan_of(each.spread(document, nodes=nodes))["probes"]
    assert {name: one["path"] for name, one in probes.items() if name.startswith("server")} == {
        "server_1": f"apiserver:{nodes[0]}",
        "server_2": f"apiserver:{nodes[1]}",
    }


def test_a_name_that_is_taken_is_refused(document: dict[str, Any]) -> None:
    plan_of(document)["probes"]["server_cp1"] = {**EACH, "path": "vip"}
    with pytest.raises(SpecError, match=r"probes.server: found 'server_cp1' a second time"):
        each.spread(document, nodes=NODES)


def test_the_guard_is_of_one(document: dict[str, Any]) -> None:
    plan_of(document)["abort_when"]["of"] = "server"
    with pytest.raises(SpecError, match=r"abort_when.of: found 'server', which is several"):
        each.spread(document, nodes=NODES)
