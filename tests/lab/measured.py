"""What the soak does once with an experiment whose numbers are predicted: a row says whether each
was measured inside its interval, and whether the cluster kept what it acknowledged."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.evidence import Stamped, stamp
from tests.lab.conftest import WHOLE_S, eventually
from tests.lab.pieces import Soak

PREDICTED = (
    *("vip_drop_holder", "apiserver_kill", "apiserver_isolate", "etcd_isolate"),
    *("scheduler_kill", "node_power_off", "worker_drain"),
)
"""Those that issue 5 names; each ten times."""

OTHER_TIMERS = (
    "controls/vip_isolate_slow_adverts",
    "controls/apiserver_isolate_slow_checks",
    "controls/scheduler_kill_short_leases",
)
"""The same with timers set otherwise: predictions and measurements must both move."""

_ACKNOWLEDGED = re.compile(r"(\d+) writes acknowledged")


@dataclass(frozen=True)
class Measured(Stamped):
    """One run."""

    experiment: str
    verdict: str
    outside: str
    measured: str
    writes: str
    lost: str
    run_s: str

    @property
    def name(self) -> str:
        return self.experiment

    @property
    def ok(self) -> bool:
        answered = self.verdict != "INCONCLUSIVE" and self.measured != ""
        return answered and self.outside == "none" and self.lost == "none"


def measure(soak: Soak, path: str) -> Measured:
    """Play it as shipped, then wait until the cluster is whole."""
    started = time.monotonic()
    played = soak.lab.play(path, timeout_s=900)
    took_s = time.monotonic() - started
    soak.lab.run("undo")
    eventually("the cluster is whole", soak.lab.is_whole, timeout_s=WHOLE_S)
    return row_of(path, played.verdict, took_s=took_s)


def row_of(path: str, verdict: dict[str, Any], *, took_s: float) -> Measured:
    """The row of a verdict. What was predicted and could not be compared is left out: it was over
    before, or after what was watched."""
    compared = [one for one in verdict["predicted"] if one["inside"] is not None]
    checks = {one["name"]: one for one in verdict["data_safety"] or ()}
    kept = checks.get("acknowledged_writes", {"reason": "", "state": "no ledger"})
    writes = _ACKNOWLEDGED.search(kept["reason"])
    unkept = [f"{name}: {one['reason']}" for name, one in checks.items() if one["state"] != "MET"]
    return Measured(
        **stamp(),
        experiment=path,
        verdict=str(verdict["verdict"]),
        outside="; ".join(_told(one) for one in compared if not one["inside"]) or "none",
        measured="; ".join(_told(one) for one in compared),
        writes=writes[1] if writes else "-",
        lost="; ".join(unkept) or ("none" if checks else "no ledger"),
        run_s=f"{took_s:.0f}",
    )


def _told(one: dict[str, Any]) -> str:
    """`longest_outage_s api 3.00 (2.86 to 3.06) of 2.61 to 3.61`."""
    return " ".join(_words(one))


def _words(one: dict[str, Any]) -> Iterator[str]:
    yield f"{one['component']} settled" if one["component"] else one["what"]
    yield from one["of"]
    if one["during"] != "fault" and one["of"]:
        yield f"during {one['during']}"
    least, most = one["between"]
    if one["unit"] == "s":
        yield f"{one['measured']:.2f} ({least:.2f} to {most:.2f}) of"
        yield f"{one['low']:.2f} to {one['high']:.2f} s"
    else:
        yield f"{one['measured']:g} of {one['low']:g} to {one['high']:g} {one['unit']}"
