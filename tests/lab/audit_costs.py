"""What `quorate audit` says that a misconfiguration costs, and what it cost: a row each.

    python -m tests.lab.audit_costs LAB [FINDING…]

An experiment starts from the misconfiguration (its `given`), the audit is asked while that is in
place, and what clients then see of the fault is held against the audit's interval. Rows go to
docs/evidence/audit-costs.md.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from quorate.harness.judge.conformance import MARGIN
from tests.evidence import EVIDENCE, Stamped, row_appended, stamp
from tests.lab.conftest import Lab, eventually
from tests.lab.killing import Live

TABLE = EVIDENCE / "audit-costs.md"
ARRANGED_S = 240.0
ENDS_S = 1200.0

OUTAGE = "longest_outage_s"
EXPERIMENTS: Mapping[str, tuple[str, str]] = {
    "vrrp-script-slow": ("haproxy_pause_patient_script", OUTAGE),
    "vrrp-same-priority": ("vip_drop_holder_same_priorities", OUTAGE),
    "lb-no-redispatch": ("apiserver_isolate_without_redispatch", OUTAGE),
    "workload-co-located": ("node_power_off_of_all_replicas", OUTAGE),
    "coredns-single-replica": ("node_power_off_of_only_coredns", OUTAGE),
    "webhook-single-replica": ("node_power_off_of_only_webhook", "time_to_rescheduled_s"),
}
"""The finding of a seed that has a predicted cost → the control and the indicator that measure it.
The webhook of the arrangement is asked by nobody: there it is the pod that is watched."""

LASTS_S = 480
"""How long these are watched for: an eviction takes minutes, and a control may end sooner."""


@dataclass(frozen=True)
class Compared(Stamped):
    """One finding."""

    finding: str
    audit_said_s: str
    experiment: str
    measured_s: str
    inside: str

    @property
    def name(self) -> str:
        return self.finding

    @property
    def ok(self) -> bool:
        return self.inside == "yes"


def compare(lab: Lab, finding: str, folder: Path) -> Compared:
    """Play it, and ask the audit in the middle of it."""
    name, indicator = EXPERIMENTS[finding]
    shipped = lab.root / "experiments" / "controls" / f"{name}.yaml"
    document = yaml.safe_load(shipped.read_text())
    if indicator == OUTAGE:
        document["method"][0]["provider"]["arguments"]["at_most_s"] = LASTS_S
    document["extensions"][0].pop("abort_when", None)
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    live = Live.start(lab, lab.argv("run", str(path)))
    try:
        arranged = partial(live.has_come_to, "sampling_started")
        eventually("everything is arranged", arranged, timeout_s=ARRANGED_S)
        said = json.loads(lab.run("audit", "--json", check=False).stdout)
        live.process.wait(timeout=ENDS_S)
    finally:
        live.process.terminate()  # nothing, where it has ended; else it takes off what is on
        live.process.wait()
    assert live.directory is not None
    verdict: dict[str, Any] = json.loads((live.directory / "verdict.json").read_text())
    low, high, at = _cost(said, finding)
    value, least, most = _measured(verdict, indicator)
    tolerance = MARGIN * high
    inside = low - tolerance <= value <= high + tolerance
    return Compared(
        **stamp(),
        finding=f"{finding} of {at}",
        audit_said_s=f"{low:.2f} to {high:.2f}",
        experiment=name,
        measured_s=f"{value:.2f} ({least:.2f} to {most:.2f})",
        inside="yes" if inside else "no",
    )


def _cost(said: Mapping[str, Any], finding: str) -> tuple[float, float, str]:
    """The longest that any finding of that name tells, and of what."""
    found = [one for one in said["findings"] if one["id"] == finding and one["cost"]]
    assert found, f"the audit found no {finding}: {[one['id'] for one in said['findings']]}"
    worst = max(found, key=lambda one: float(one["cost"]["high_s"]))
    return float(worst["cost"]["low_s"]), float(worst["cost"]["high_s"]), str(worst["of"])


def _measured(verdict: Mapping[str, Any], indicator: str) -> tuple[float, float, float]:
    one = next(each for each in verdict["objectives"] if each["indicator"] == indicator)
    assert one["value"] is not None, one["reason"]
    return one["value"], one["low"], float("inf") if one["high"] is None else one["high"]


if __name__ == "__main__":
    name, *wanted = sys.argv[1:]
    runs = Path(os.environ.get("QUORATE_RUNS", "runs")).absolute()
    runs.mkdir(parents=True, exist_ok=True)
    here = Lab.called(name, runs=runs)
    for finding in wanted or EXPERIMENTS:
        eventually("the cluster is whole", here.is_whole, timeout_s=300)
        row = compare(here, finding, runs)
        row_appended(TABLE, row)
        print(row.line(), end="", flush=True)
