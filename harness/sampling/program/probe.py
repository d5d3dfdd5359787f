"""One probe: ticks at fixed times, a request for each, a line for each; nothing is left out."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Any

from .answer import Answer
from .lateness import Lateness
from .link import Broken, Link, Target
from .loop import Loop
from .output import SampleFile

STALL_FLOOR_S = 0.01
"""A stop of the sampler is written to a sample from this length on, seconds."""


class Shot:
    """One request under way: its tick, its times (monotonic seconds) and its hard timeout.

    ``noted``: what its line is to say beside what every line says.
    """

    __slots__ = ("due", "k", "link", "noted", "stalled_before_s", "start", "timer")

    def __init__(self, k: int, due: float, *, start: float, stalled_before_s: float) -> None:
        self.k = k
        self.due = due
        self.start = start
        self.stalled_before_s = stalled_before_s
        self.timer: Any = None
        self.link: Any = None
        self.noted: dict[str, Any] = {}


class Probe:
    """What both kinds of probe share: the clock, the cap, the hard timeout and the record.

    Args:
        plan: ``name``, ``rate_hz``, ``hard_timeout_s``, ``in_flight_max``, ``requests`` (texts,
            sent in turn), ``status`` (a list of ints) and ``body_contains`` (text).
        base_s: what is subtracted from every time that is written.
    """

    def __init__(
        self, plan: dict[str, Any], *, loop: Loop, target: Target, output: SampleFile, base_s: float
    ) -> None:
        self.name = str(plan["name"])
        self.period_s = 1.0 / float(plan["rate_hz"])
        self.counts = {"ticks": 0, "OK": 0, "FAILED": 0, "UNKNOWN": 0, "late": 0}
        self.lateness = Lateness()
        self.in_flight = 0
        self.on_first_tick: Callable[[], None] | None = None
        self._plan = plan
        self._requests = [str(one).encode("ascii") for one in plan["requests"]]
        self._body_contains = str(plan["body_contains"]).encode()
        self._loop = loop
        self._target = target
        self._output = output
        self._base_s = base_s
        self._t0_s = 0.0
        self._timer: Any = None

    def start(self, t0_s: float) -> None:
        """Tick 0 is due at ``t0_s``."""
        self._t0_s = t0_s
        self._timer = self._loop.at(t0_s, self._tick)

    def stop(self) -> None:
        """No tick any more; requests under way end as they end."""
        if self._timer is not None:
            self._timer.cancel()

    def _tick(self) -> None:
        k = self.counts["ticks"]
        due = self._t0_s + k * self.period_s
        now = time.monotonic()
        self.counts["ticks"] += 1
        self._timer = self._loop.at(due + self.period_s, self._tick)
        self.lateness.add(now - due)
        shot = Shot(k, due, start=now, stalled_before_s=self._loop.stalled_s)
        if now - due > self.period_s / 2:
            self.counts["late"] += 1
            self._write(shot, outcome="UNKNOWN", detail="late")
        elif self.in_flight >= int(self._plan["in_flight_max"]):
            self._write(shot, outcome="UNKNOWN", detail="in-flight cap")
        else:
            self.in_flight += 1
            shot.timer = self._loop.at(
                due + float(self._plan["hard_timeout_s"]), lambda: self._expire(shot)
            )
            self._fire(shot)
        if k == 0 and self.on_first_tick is not None:
            self.on_first_tick()

    def _request(self, shot: Shot) -> bytes:
        return self._requests[shot.k % len(self._requests)]

    def _fire(self, shot: Shot) -> None:
        raise NotImplementedError

    def _expire(self, shot: Shot) -> None:
        raise NotImplementedError

    def _judge(self, shot: Shot, answer: Answer, *, link: Link) -> None:
        if answer.status not in self._plan["status"]:
            self._end(shot, outcome="FAILED", detail=f"status {answer.status}", link=link)
        elif self._body_contains not in answer.body:
            self._end(shot, outcome="FAILED", detail="body", link=link)
        else:
            self._end(shot, outcome="OK", detail="", link=link)

    def _end(self, shot: Shot, *, outcome: str, detail: str, link: Link | None = None) -> None:
        self.in_flight -= 1
        shot.timer.cancel()
        self._write(shot, outcome=outcome, detail=detail, link=link)

    def _write(self, shot: Shot, *, outcome: str, detail: str, link: Link | None = None) -> None:
        end = time.monotonic()
        self.counts[outcome] += 1
        sample: dict[str, object] = {
            "k": shot.k,
            "due": round(shot.due - self._base_s, 6),
            "start": round(shot.start - self._base_s, 6),
            "end": round(end - self._base_s, 6),
            "o": outcome,
        }
        if detail:
            sample["d"] = detail
        if link is not None and link.peer:
            sample["p"] = link.peer
        if link is not None and outcome == "FAILED":
            sample["at"] = link.stage
        stalled_s = self._loop.stalled_s - shot.stalled_before_s
        if stalled_s >= STALL_FLOOR_S:
            sample["s"] = round(stalled_s, 6)
        sample.update(shot.noted)
        self._output.add(sample)


class FreshProbe(Probe):
    """A new connection for every request."""

    def _fire(self, shot: Shot) -> None:
        link = Link(
            self._loop,
            self._target,
            on_answer=lambda link, answer: self._answered(link, shot, answer),
            on_broken=lambda link, why: self._broken(link, shot, why),
        )
        shot.link = link
        link.send(self._request(shot))
        link.open()

    def _answered(self, link: Link, shot: Shot, answer: Answer) -> None:
        link.close()
        self._judge(shot, answer, link=link)

    def _broken(self, link: Link, shot: Shot, why: Broken) -> None:
        outcome = "UNKNOWN" if why.ours else "FAILED"
        self._end(shot, outcome=outcome, detail=why.reason, link=link)

    def _expire(self, shot: Shot) -> None:
        shot.link.close()
        self._end(shot, outcome="FAILED", detail="timeout", link=shot.link)


class ReusedProbe(Probe):
    """One connection for all; answers come in the order of the requests (HTTP/1.1 pipelining).

    The connection is dropped when it breaks or when its oldest request reaches the hard timeout;
    every request on it has then failed. The next tick makes a new one.
    """

    def __init__(self, plan: dict[str, Any], **rest: Any) -> None:
        super().__init__(plan, **rest)
        self._link: Link | None = None
        self._shots: deque[Shot] = deque()

    def _fire(self, shot: Shot) -> None:
        self._shots.append(shot)
        if self._link is not None:
            self._link.send(self._request(shot))
            return
        link = Link(self._loop, self._target, on_answer=self._answered, on_broken=self._broken)
        self._link = link
        link.send(self._request(shot))
        link.open()

    def _answered(self, link: Link, answer: Answer) -> None:
        if not self._shots:  # an answer that nobody asked for: what follows cannot be told apart
            self._drop("answer without a request")
            return
        self._judge(self._shots.popleft(), answer, link=link)
        if answer.last:
            self._drop("closed by the server")

    def _broken(self, link: Link, why: Broken) -> None:
        self._drop(why.reason, ours=why.ours)

    def _expire(self, shot: Shot) -> None:
        # Timers run in the order of the requests, so this is the oldest one.
        self._shots.remove(shot)
        self._end(shot, outcome="FAILED", detail="timeout", link=self._link)
        self._drop("dropped: an older request timed out")

    def _drop(self, reason: str, *, ours: bool = False) -> None:
        link, self._link = self._link, None
        if link is not None:
            link.close()
        while self._shots:
            outcome = "UNKNOWN" if ours else "FAILED"
            self._end(self._shots.popleft(), outcome=outcome, detail=reason, link=link)
