"""Small runs, each built around one way to judge wrongly; storing.py writes them to stored/.

Nothing here was measured. A case spells its samples at 50 Hz, from the first tick on:

    .  good      !  failed      ?  unknown      ~  good after 1.5 s      blank  lost, no line

The baseline lasts from 0 to 6.18 s (309 samples), the act comes at 6.2 s, the fault lasts until
9.2 s, the return leg until 10.2 s. What is expected stands beside it, written down before the judge
was asked.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

RATE_HZ = 50
BASELINE, FAULT, RETURN = 310, 150, 50
T_FAULT, T_UNDO, T_END = 6.2, 9.2, 10.2
WELL = "." * (BASELINE + FAULT + RETURN)
POWER_OFF = ("node_power_off", "undo")

Json = dict[str, Any]


def well_but(spelled: str, *, after_s: float = T_FAULT) -> str:
    """All samples good but these, which begin ``after_s`` into the run."""
    start = round(after_s * RATE_HZ)
    return WELL[:start] + spelled + WELL[start + len(spelled) :]


def by_chance(share: float, count: int) -> str:
    """So many samples, each failed with that probability."""
    chance = random.Random(1)
    return "".join("!" if chance.random() < share else "." for _ in range(count))


def outage(at_most: float = 2, **more: Any) -> Json:
    return {"indicator": "longest_outage_s", "of": "api", "at_most": at_most, **more}


def event(t: float, kind: str, **data: Any) -> Json:
    return {"t": t, "kind": kind, "data": data}


def happened(method: Sequence[str] = POWER_OFF) -> list[Json]:
    """What a run in which all went well writes down."""
    return [
        event(0, "run_opened"),
        event(0, "baseline_started"),
        event(6.18, "baseline_ended"),
        event(T_FAULT, "injection_started", injection="i1", fault=method[0], nodes=["cp1"]),
        event(6.4, "injection_proved", injection="i1", ok=True, evidence="made up"),
        event(6.5, "whole", whole=False, missing=["node cp1"]),
        event(T_UNDO, "undo_started", injection="i1"),
        event(9.3, "undo_done", injection="i1", ok=True, evidence="made up"),
        event(9.8, "whole", whole=True, missing=[]),
        event(T_END, "return_ended", reached=True),
        event(T_END, "sampling_stopped"),
        event(T_END + 0.1, "run_closed", reason="completed"),
    ]


@dataclass(frozen=True)
class Case:
    """One run, and what must be said of it.

    Args:
        trap: what a judge gets wrong here.
        expect: the verdict. states: of the objectives, where they differ from it.
        values: of the objectives, where they matter; None: any.
        broken: names of the gates that do not hold. says: texts that the verdict must contain.
        without, events: kinds left out of what happened, and what happened besides.
        samples: spelled; None: the file is not there. changes: index → what its line says else.
        last_first: lines are stored in reverse order; a sampler writes what ends first.
        torn: the last line of the events and of the samples is cut in the middle.
    """

    trap: str
    expect: str
    objectives: Sequence[Json] = (outage(),)
    samples: str | None = WELL
    states: Sequence[str] = ()
    values: Sequence[float | None] = ()
    broken: Sequence[str] = ()
    says: Sequence[str] = ()
    without: Sequence[str] = ()
    events: Sequence[Json] = ()
    method: Sequence[str] = POWER_OFF
    plan: Mapping[str, Any] = field(default_factory=dict)
    changes: Mapping[int, Json] = field(default_factory=dict)
    bounds: Sequence[Json] = ()
    last_first: bool = False
    torn: bool = False


BAD = {"indicator": "bad_samples", "of": "api", "at_most": 0}
WEIGHTED = {"indicator": "weighted_outage_s", "of": "api", "at_most": 2}
SHARE = {"indicator": "failed_share_pct", "of": "api"}
WHOLE = {"indicator": "time_to_whole_s", "since": "undo", "at_most": 1}
DRAINED = {"indicator": "time_to_drained_s", "at_most": 60}
MET, MISSED, INCONCLUSIVE = "MET", "MISSED", "INCONCLUSIVE"

CASES: Mapping[str, Case] = {
    "share_within_its_band": Case(
        "a third of the samples, which no bound near a third can be sure of",
        MISSED,
        samples=well_but("!.." * 50),
        objectives=[
            {**SHARE, "at_most": at_most, "deadline_s": deadline_s}
            for at_most, deadline_s in ((42, 1), (34, 2), (25, 3))
        ],
        states=(MET, INCONCLUSIVE, MISSED),
        values=[5000 / 151] * 3,  # with the sample that was under way at the act
        says=("50 of 151 samples", "too few to tell"),
    ),
    "flapping": Case(
        "two good samples in a row do not end an outage, three do",
        MISSED,
        objectives=[outage(0.2), {"indicator": "outages", "of": "api", "at_most": 2}],
        samples=well_but("!!!..!!.!!...!."),
        states=[MISSED, MET],
        values=[0.2, 2],
    ),
    "under_way_at_the_act": Case(
        "a sample due before the act, answered by nobody after it, is the fault's",
        MISSED,
        objectives=[BAD, {**BAD, "during": "baseline"}],
        samples=well_but("!" * 5, after_s=6.18),
        states=[MISSED, MET],
        values=[5, 0],
    ),
    "into_the_return_leg": Case(
        "an outage of the fault phase is as long as it is; its rest is the return leg's too",
        MET,
        objectives=[outage(1.1), outage(0.6, during="return")],
        samples=well_but("!" * 50, after_s=8.7),
        values=[1.0, 0.5],
    ),
    "censored": Case(
        "an outage that had not ended when the data ended is missed, however short so far",
        MISSED,
        objectives=[outage(30)],
        samples=well_but("!" * 100, after_s=8.2),
        values=[2.0],
        says=["had not ended when the data ended"],
    ),
    "killed_in_the_outage": Case(
        "a timeline cut short by a crash does not show that the outage lasted",
        INCONCLUSIVE,
        samples=well_but("!" * 200)[: BASELINE + 20],
        without=["undo_started", "undo_done", "return_ended", "sampling_stopped", "run_closed"],
        broken=["undo", "complete"],
        says=["never closed", "the last line is torn", "cut short while the outage lasted"],
        torn=True,
    ),
    "sampler_died": Case(
        "samples that end before the run does are not good ones",
        INCONCLUSIVE,
        samples=WELL[: BASELINE + 60],
        broken=["prober"],
    ),
    "paused_prober": Case(
        "a prober that was stopped saw no outage, and no health either",
        INCONCLUSIVE,
        objectives=[outage(30), BAD],
        # Two requests were under way: one was answered late, one ran into its hard timeout.
        samples=well_but("~!" + "?" * 98),
        changes={310: {"s": 1.48}, 311: {"s": 4.9, "d": "timeout", "end": 11.23}},
        states=[MET, INCONCLUSIVE],
        values=[0, 0],
        broken=["prober"],
    ),
    "one_in_three": Case(
        "one in three failing is no outage: the longest gap is chance, its weight is not",
        INCONCLUSIVE,
        objectives=[outage(0.8), WEIGHTED],
        samples=well_but(by_chance(1 / 3, 150)),
        states=[INCONCLUSIVE, MET],
        values=[None, 0.98],
        says=["scattered failures", "an interval's length says little"],
    ),
    "every_fourth": Case(
        "one in four failing in turn always leaves three good ones: it looks like no outage at all",
        INCONCLUSIVE,
        objectives=[outage(0.5)],
        samples=well_but("!..." * 37),
        values=[0.02],
        says=["37 of 145 samples in 37 places"],
    ),
    "unknown_around": Case(
        "unknown samples at the edges of an outage neither belong to it nor end it",
        INCONCLUSIVE,
        objectives=[outage(0.5), outage(0.6, during="run")],
        samples=well_but("?" + "!" * 24 + "?"),
        states=[INCONCLUSIVE, MET],
        values=[0.5, 0.5],
    ),
    "unknown_at_the_end": Case(
        "what is not known of the last sample may be the begin of an outage",
        INCONCLUSIVE,
        objectives=[outage(2, during="return")],
        samples=well_but("?", after_s=10.18),
        values=[0],
        says=["may hide a longer outage"],
    ),
    "unknown_within": Case(
        "unknown samples alone do not make an outage too long",
        INCONCLUSIVE,
        objectives=[outage(0.5)],
        samples=well_but("!" * 12 + "??" + "!" * 10 + "??"),
        values=[0.52],
    ),
    "lost_lines": Case(
        "a tick that left no line is unknown, not good",
        INCONCLUSIVE,
        objectives=[outage(0.02), BAD],
        samples=well_but("    "),
        values=[0, 0],
        says=["4 of which we cannot tell"],
    ),
    "written_last_first": Case(
        "a sample is written when it is over: the order of lines is not that of ticks",
        MISSED,
        objectives=[outage(0.5)],
        samples=well_but("!" * 30),
        values=[0.6],
        last_first=True,
    ),
    "slow": Case(
        "an answer after its deadline is bad, and good for those who wait longer",
        MISSED,
        objectives=[outage(0.5), outage(0.5, deadline_s=2)],
        samples=well_but("~" * 30),
        states=[MISSED, MET],
        values=[0.6, 0],
    ),
    "whole_and_then_not": Case(
        "a cluster that was whole and then was not any more is not whole",
        MISSED,
        objectives=[WHOLE],
        events=[event(10.0, "whole", whole=False, missing=["etcd cp1"])],
        says=["missing: etcd cp1"],
    ),
    "nobody_looked": Case(
        "silence about the components is no wholeness",
        INCONCLUSIVE,
        objectives=[WHOLE],
        without=["whole", "return_ended"],
        events=[event(6.3, "whole", whole=True, missing=[])],
        says=["nobody looked"],
    ),
    "refused": Case(
        "a bad baseline says nothing about a fault that never was",
        INCONCLUSIVE,
        objectives=[{**BAD, "during": "baseline"}],
        samples="!" * BASELINE,
        without=["injection_started", "injection_proved", "undo_started", "undo_done", "whole",
                 "return_ended", "sampling_stopped", "run_closed"],
        events=[event(6.2, "sampling_stopped"), event(6.3, "run_closed", reason="refused")],
        values=[309],
        broken=["baseline", "fault", "complete"],
        says=["before anything was injected"],
    ),
    "unproved": Case(
        "an act that did nothing costs nothing",
        INCONCLUSIVE,
        events=[event(6.45, "injection_proved", injection="i1", ok=False, evidence="it answers")],
        broken=["fault"],
        says=["not proved: i1: it answers"],
    ),
    "switch_too_early": Case(
        "a fault that was taken off before its time was not on",
        INCONCLUSIVE,
        events=[event(9.4, "undo_done", injection="i1", ok=False, evidence="its switch went off")],
        broken=["undo"],
        says=["its switch went off"],
    ),
    "arrangement_left": Case(
        "what was arranged before the run must be undone after it, too",
        INCONCLUSIVE,
        plan={"given": ["keepalived_backups_stopped"]},
        events=[event(0, "arrangement_applied", name="keepalived_backups_stopped")],
        broken=["undo"],
    ),
    "guard": Case(
        "a fault that was taken off because it cost too much has cost too much",
        MISSED,
        objectives=[outage(60)],
        plan={"abort_when": outage(1)},
        samples=well_but("!" * 60),
        events=[event(7.3, "guard_tripped")],
        states=[MET, MISSED],
        values=[1.2, 1.2],
        says=["the guard tripped at 7.300 s"],
    ),
    "stuck_drain": Case(
        "a drain that a budget keeps is missed, within its bound or not",
        MISSED,
        objectives=[DRAINED],
        method=["worker_drain", "undo"],
        events=[event(6.5, "injection_proved", injection="i1", ok=True, evidence="cordoned",
                      drained=False, left=["shop/a is kept by shop/never"])],
        says=["not drained: shop/a is kept by shop/never"],
    ),
    "no_data": Case(
        "no sample at all is no pass",
        INCONCLUSIVE,
        objectives=[outage(30), {**BAD, "at_most": 1000}],
        samples=None,
        values=[None, None],
        broken=["baseline", "prober", "complete"],
    ),
    "bound_of_the_cluster": Case(
        "a run is judged again by the bounds that it was played with",
        MET,
        samples=well_but("!" * 110),
        bounds=[{"bound": "longest_outage_s", "at_most": 3.0, "source": "objectives.yaml"}],
        values=[2.2],
        says=['"judged_by": "objectives.yaml"', '"experiment": 2.0'],
    ),
}  # fmt: skip
