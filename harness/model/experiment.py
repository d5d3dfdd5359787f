"""An experiment as declared: what to break, what to ask meanwhile, and which bounds must hold.

The document is a Chaos Toolkit experiment; our own part lies in ``extensions``. Both are read
strictly: an unknown key, a missing line of the frame or a bound that the declared rate cannot
resolve is a SpecError that names the field. Units stand at the end of each name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, NoReturn

from pydantic import Field

from quorate.harness.errors import SpecError
from quorate.harness.model.bounds import OWN, Override, name_of, the_one, with_bound
from quorate.harness.model.frame import check_frame
from quorate.harness.model.given import Given
from quorate.harness.model.objectives import (
    DEADLINE_S,
    INDICATORS,
    LongestOutage,
    NotWhole,
    Objective,
    Outage,
    TimeToDrained,
    TimeToRescheduled,
    TimeToWhole,
    WeightedOutage,
    deadline_of,
    probes_of,
)
from quorate.harness.model.probe_spec import ProbeSpec
from quorate.harness.model.strict import Strict, checked, path_text, value_text
from quorate.harness.model.timeline import BESIDE_HARNESS

HARD_TIMEOUT_S = 5.0
"""How long a sample is waited for unless an objective's deadline is longer (design.md)."""

LONG_TIMEOUT_RATE_HZ = 2.0
"""Above this rate a deadline over HARD_TIMEOUT_S would keep too many requests in flight."""

WEIGHTED_PERIODS = 5
"""A smaller weighted outage cannot be told from none: 0 bad of many samples may mean, with 95 %
confidence, that up to 3.7 would have been bad (Clopper-Pearson), and the edges are one period."""

BASELINE_SAMPLES = 300
"""Samples of all probes together before anything is injected (design.md, one run, step 7)."""

DRAIN = "worker_drain"
"""The fault that ``time_to_drained_s`` is about."""

UPGRADED = "upgraded"
"""What a step ``watch`` may wait for: that somebody's own upgrade is over."""

PROBE_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


class Activity(Strict):
    """One step of the method. ``func`` is a fault's name, ``undo`` or ``watch``.

    A step of another module (a Chaos Toolkit probe mixed in) has kind ``foreign``; quorate neither
    reads nor judges it.
    """

    name: str
    kind: Literal["fault", "undo", "watch", "foreign"]
    module: str
    func: str
    arguments: Mapping[str, Any] = Field(default_factory=dict)

    @property
    def awaits_upgrade(self) -> bool:
        """Whether it watches until somebody's own upgrade is over."""
        return self.kind == "watch" and self.arguments.get("watch_until") == UPGRADED


class Experiment(Strict):
    """The whole of it; built by ``from_mapping`` or store.experiment_file, never by hand."""

    title: str
    description: str
    tags: tuple[str, ...]
    method: tuple[Activity, ...]
    given: tuple[Given, ...]
    baseline_s: float
    probes: Mapping[str, ProbeSpec]
    objectives: tuple[Objective, ...]
    abort_when: LongestOutage | None
    beyond_tolerance: bool = False
    """Whether it may break more at once than the cluster tolerates (run/limits.py)."""
    overrides: tuple[Override, ...] = ()
    """Bounds that stand in place of its own: those in ``objectives`` and ``abort_when`` hold."""
    own: Experiment | None = None
    """The experiment as its file says it, where there are overrides."""

    @property
    def faults(self) -> tuple[Activity, ...]:
        """The steps that break something; none in a control that declares no fault."""
        return tuple(step for step in self.method if step.kind == "fault")

    @property
    def upgrade(self) -> Activity | None:
        """The step that watches until somebody's own upgrade is over, where there is one."""
        return next((step for step in self.method if step.awaits_upgrade), None)

    @property
    def bounded(self) -> tuple[Objective, ...]:
        """Everything that has a bound: the objectives, then the guard if there is one."""
        return (*self.objectives, *([self.abort_when] if self.abort_when else []))

    @property
    def bound_names(self) -> tuple[str, ...]:
        """The full names of these bounds, in the same order."""
        last = len(self.objectives)
        return tuple(name_of(one, guard=i == last) for i, one in enumerate(self.bounded))

    def bounds(self, index: int, /) -> dict[str, float]:
        """Source → bound of ``bounded[index]``; the last one is the one that holds."""
        found = {OWN: float((self.own or self).bounded[index].at_most)}
        for override in self.overrides:
            if the_one(override.bound, self.bound_names) == index:
                found[override.source] = override.at_most
        return found

    def with_bounds(self, overrides: Sequence[Override]) -> Experiment:
        """This experiment with other bounds, later ones before earlier ones.

        SpecError (its field is the bound's name as given) where one names no bound or several, one
        that the same source has given before, or a number that the objective cannot have.
        """
        bounded, given = list(self.bounded), set()
        for override in overrides:
            index = the_one(override.bound, self.bound_names)
            if (index, override.source) in given:
                name = self.bound_names[index]
                _refuse((override.bound,), found=f"{name} a second time", allowed="it once")
            given.add((index, override.source))
            bounded[index] = with_bound(bounded[index], override.at_most)
            _check_objective(bounded[index], experiment=self, where=())
        count = len(self.objectives)
        changed = {"objectives": tuple(bounded[:count]), "abort_when": (*bounded[count:], None)[0]}
        kept = {"overrides": tuple(overrides), "own": self} if overrides else {}
        return self.model_copy(update=changed | kept)

    @property
    def vantages(self) -> tuple[str, ...]:
        """Where its probes are asked from, other than beside the harness; each once."""
        words = dict.fromkeys(spec.vantage for spec in self.probes.values())
        return tuple(word for word in words if word != BESIDE_HARNESS)

    @property
    def judged_probes(self) -> tuple[str, ...]:
        """The probes that something with a bound is about, in the order of their declaration."""
        named = {probe for one in self.bounded for probe in probes_of(one)}
        return tuple(name for name in self.probes if name in named)

    def hard_timeout_s(self, probe: str, /) -> float:
        """How long one sample of ``probe`` is waited for: its largest deadline, at least 5 s."""
        return max([HARD_TIMEOUT_S, *self.deadlines_s(probe)])

    def deadlines_s(self, probe: str, /) -> tuple[float, ...]:
        """Every deadline that ``probe`` is judged at, shortest first; 1 s where there is none."""
        found = {deadline_of(one) for one in self.bounded if probe in probes_of(one)}
        return tuple(sorted(one for one in found if one is not None)) or (DEADLINE_S,)

    @classmethod
    def from_mapping(
        cls,
        document: Mapping[str, Any],
        *,
        known_functions: Mapping[str, Sequence[str]] | None = None,
        known_probes: Mapping[str, Sequence[str]] | None = None,
        known_arrangements: Mapping[str, Sequence[str]] | None = None,
    ) -> Experiment:
        """Reads a parsed document; raises SpecError (without file and line) at the first mistake.

        Args:
            known_functions: function → names of its arguments; None: any name is taken.
            known_probes: word of the probe catalogue → first words of the paths that it can be
                asked by; None: any word is taken.
            known_arrangements: word for ``given`` → names of its arguments; None: any word is
                taken.
        """
        frame = check_frame(document)
        plan, where = frame.plan, ("extensions", frame.plan_index)
        for index, one in enumerate(plan.given):
            if known_arrangements is not None:
                _check_given(one, path=(*where, "given", index), known=known_arrangements)
        experiment = cls(
            title=frame.title,
            description=frame.description,
            tags=frame.tags,
            method=tuple(
                _activity(step, index=index, known_functions=known_functions)
                for index, step in enumerate(frame.method)
            ),
            given=plan.given,
            baseline_s=plan.baseline_s,
            probes=_probes(plan.probes, where=where, known=known_probes),
            objectives=tuple(
                _objective(item, where=(*where, "objectives", index))
                for index, item in enumerate(plan.objectives)
            ),
            abort_when=_guard(plan.abort_when, where=(*where, "abort_when")),
            beyond_tolerance=plan.beyond_tolerance,
        )
        _check_together(experiment, where=where)
        return experiment


def _check_given(
    one: Given, *, path: tuple[str | int, ...], known: Mapping[str, Sequence[str]]
) -> None:
    if one.name not in known:
        _refuse(path, found=repr(one.name), allowed=", ".join(sorted(known)))
    for name in one.arguments:
        if name not in known[one.name]:
            allowed = ", ".join(known[one.name]) or "no argument"
            _refuse((*path, one.name, name), found=f"the unknown key {name!r}", allowed=allowed)


def _activity(
    step: dict[str, Any], *, index: int, known_functions: Mapping[str, Sequence[str]] | None
) -> Activity:
    provider = step.get("provider")
    module = provider.get("module", "") if isinstance(provider, Mapping) else ""
    if not str(module).startswith("quorate"):
        return _foreign(step, index=index, module=str(module))
    read = checked(step, model=Step, prefix=("method", index))
    func, given = read.provider.func, read.provider.arguments
    path = f"method[{index}].provider"
    if known_functions is not None:
        _check_call(func, given=given, path=path, known=known_functions)
    kind: Literal["fault", "undo", "watch"] = "fault"
    if func == "undo":
        kind = "undo"
    elif func == "watch":
        kind = "watch"
    return Activity(name=read.name, kind=kind, module=module, func=func, arguments=given)


def _check_call(
    func: str, *, given: Mapping[str, Any], path: str, known: Mapping[str, Sequence[str]]
) -> None:
    if func not in known:
        raise SpecError(None, field=f"{path}.func", found=repr(func), allowed=sorted(known))
    for name in given:
        if name not in known[func]:
            raise SpecError(
                None,
                field=f"{path}.arguments.{name}",
                found=f"the unknown argument {name!r}",
                allowed=known[func] or "no argument",
            )


def _foreign(step: dict[str, Any], *, index: int, module: str) -> Activity:
    # Other packages may look, never act: only what our journal knows can be taken back.
    if step.get("type") != "probe":
        raise SpecError(
            None,
            field=f"method[{index}].provider",
            found=f"an action of {module or 'no python module'!r}",
            allowed="actions of quorate.faults; of other modules only steps of type probe",
        )
    provider = step.get("provider") or {}
    func = str(provider.get("func", "")) if isinstance(provider, Mapping) else ""
    return Activity(name=str(step.get("name", "")), kind="foreign", module=module, func=func)


def _probes(
    raw: Mapping[str, Any],
    *,
    where: tuple[str | int, ...],
    known: Mapping[str, Sequence[str]] | None,
) -> dict[str, ProbeSpec]:
    found = {}
    for name, value in raw.items():
        path = (*where, "probes", name)
        if not PROBE_NAME.fullmatch(str(name)):
            _refuse(path, found=repr(name), allowed="a name of a-z, 0-9 and _, a letter first")
        spec = checked(value, model=ProbeSpec, prefix=path)
        if known is not None and spec.probe not in known:
            _refuse((*path, "probe"), found=repr(spec.probe), allowed=", ".join(sorted(known)))
        if known is not None:
            _check_way(spec, ways=known[spec.probe], path=path)
        found[name] = spec
    return found


def _check_way(spec: ProbeSpec, *, ways: Sequence[str], path: tuple[str | int, ...]) -> None:
    """A probe without a way of its own asks a URL."""
    if spec.url is not None and ways:
        _refuse((*path, "url"), found=repr(spec.url), allowed=f"a path, for {spec.probe}")
    if spec.url is None and spec.path.partition(":")[0] not in ways:
        allowed = ", ".join(ways) or "a url in place of path"
        _refuse((*path, "path"), found=repr(spec.path), allowed=f"for {spec.probe}: {allowed}")


def _objective(raw: Mapping[str, Any], *, where: tuple[str | int, ...]) -> Objective:
    word = raw.get("indicator")
    if word not in INDICATORS:
        _refuse((*where, "indicator"), found=value_text(word), allowed=", ".join(INDICATORS))
    return checked(dict(raw), model=INDICATORS[str(word)], prefix=where)


def _guard(raw: Mapping[str, Any] | None, *, where: tuple[str | int, ...]) -> LongestOutage | None:
    return None if raw is None else checked(dict(raw), model=LongestOutage, prefix=where)


def _check_together(experiment: Experiment, *, where: tuple[str | int, ...]) -> None:
    """What one field alone cannot show; raises SpecError at the field that is to change."""
    for index, objective in enumerate(experiment.objectives):
        place = (*where, "objectives", index)
        _check_objective(objective, experiment=experiment, where=place)
        if (name := experiment.bound_names[index]) in experiment.bound_names[:index]:
            _refuse(place, found=f"{name} a second time", allowed="it once")
    _check_upgrade(experiment)
    if experiment.abort_when is not None:
        path = (*where, "abort_when")
        _check_objective(experiment.abort_when, experiment=experiment, where=path)
    rate_hz = sum(probe.rate_hz for probe in experiment.probes.values())
    if experiment.baseline_s * rate_hz < BASELINE_SAMPLES:
        _refuse(
            (*where, "baseline_s"),
            found=f"{experiment.baseline_s:g}: {experiment.baseline_s * rate_hz:.0f} samples",
            allowed=f"at least {BASELINE_SAMPLES / rate_hz:.1f}: {BASELINE_SAMPLES} samples",
        )


def _check_upgrade(experiment: Experiment) -> None:
    """An upgrade is awaited once, and is all that is done to the cluster."""
    if experiment.upgrade is None:
        return
    for index, step in enumerate(experiment.method):
        if step.kind in ("fault", "undo") or (step.awaits_upgrade and step != experiment.upgrade):
            found = f"{step.func!r} beside watch_until: {UPGRADED}"
            allowed = "a method that only watches; what is broken is an experiment of its own"
            _refuse(("method", index, "provider", "func"), found=found, allowed=allowed)


def _check_objective(
    objective: Objective, *, experiment: Experiment, where: tuple[str | int, ...]
) -> None:
    for name in probes_of(objective):
        if name not in experiment.probes:
            _refuse((*where, "of"), found=repr(name), allowed=", ".join(experiment.probes))
    if isinstance(objective, TimeToDrained):
        if not any(step.func == DRAIN for step in experiment.faults):
            _refuse((*where, "indicator"), found="no drain", allowed=f"a method with {DRAIN}")
        return
    if isinstance(objective, TimeToRescheduled):
        if not experiment.faults:
            _refuse((*where, "indicator"), found="no fault", allowed="a method with a fault")
        return
    if isinstance(objective, NotWhole):
        return
    if isinstance(objective, TimeToWhole):
        if objective.since == "undo" and not any(s.kind == "undo" for s in experiment.method):
            _refuse((*where, "since"), found="'undo'", allowed="a method with the step undo")
        return
    rates = [experiment.probes[name].rate_hz for name in probes_of(objective)]
    if objective.deadline_s > HARD_TIMEOUT_S and max(rates) > LONG_TIMEOUT_RATE_HZ:
        _refuse(
            (*where, "deadline_s"),
            found=f"{objective.deadline_s:g} at {max(rates):g} Hz",
            allowed=f"at most {HARD_TIMEOUT_S:g}, or a rate of at most {LONG_TIMEOUT_RATE_HZ:g} Hz",
        )
    if isinstance(objective, Outage):
        periods = WEIGHTED_PERIODS if isinstance(objective, WeightedOutage) else 1
        if objective.at_most < periods / rates[0]:
            least = f"{periods} period(s) of the probe ({periods / rates[0]:g} s)"
            _refuse(
                (*where, "at_most"),
                found=f"{objective.at_most:g} at {rates[0]:g} Hz",
                allowed=f"at least {least}; bad_samples counts single ones",
            )


def _refuse(path: tuple[str | int, ...], *, found: str, allowed: str) -> NoReturn:
    raise SpecError(None, field=path_text(path), found=found, allowed=allowed)


class _Provider(Strict):
    type: Literal["python"]
    module: Literal["quorate.faults"]
    func: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    arguments: dict[str, Any] = Field(default_factory=dict)


class Step(Strict):
    """The shape of a step of our own."""

    name: Annotated[str, Field(min_length=1)]
    type: Literal["action"]
    provider: _Provider
