"""An experiment as declared: what to break, what to ask meanwhile, and which bounds must hold.

The document is a Chaos Toolkit experiment; our own part lies in ``extensions``. Both are read
strictly: an unknown key, a missing line of the frame or a bound that the declared rate cannot
resolve is a SpecError that names the field. Units stand at the end of each name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, NoReturn

from pydantic import AfterValidator, BeforeValidator, Field

from quorate.harness.errors import SpecError
from quorate.harness.model.frame import check_frame
from quorate.harness.model.strict import Strict, checked, path_text, value_text

HARD_TIMEOUT_S = 5.0
"""How long a sample is waited for unless an objective's deadline is longer (design.md)."""

LONG_TIMEOUT_RATE_HZ = 2.0
"""Above this rate a deadline over HARD_TIMEOUT_S would keep too many requests in flight."""

BASELINE_SAMPLES = 300
"""Samples of all probes together before anything is injected (design.md, one run, step 7)."""

DEADLINE_S = 1.0
"""Deadline of a read where none is given (reference/timings_and_slos.md §2.8)."""

DRAIN = "worker_drain"
"""The fault that ``time_to_drained_s`` is about."""

During = Literal["baseline", "fault", "return", "run"]
"""Phases. ``run``: from the start of the baseline to the end of the return leg."""

PATH = re.compile(r"vip|service|(haproxy|apiserver|service):[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
PROBE_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


def _path_word(value: str) -> str:
    if not PATH.fullmatch(value):
        raise ValueError("vip, haproxy:<node>, apiserver:<node>, service, service:<node>")
    return value


def _names(value: object) -> object:
    if isinstance(value, str):
        return (value,)
    return tuple(value) if isinstance(value, list) else value


# YAML has lists where we keep tuples; .inf and .nan bound nothing.
Number = Annotated[float, Field(allow_inf_nan=False)]
Names = Annotated[tuple[str, ...], BeforeValidator(_names), Field(min_length=1)]


class ProbeSpec(Strict):
    """One stream of samples: what is asked (a word of the probe catalogue), by which way, how."""

    probe: str
    path: Annotated[str, AfterValidator(_path_word)]
    connection: Literal["new", "reused"]
    rate_hz: Annotated[Number, Field(gt=0, le=200)]

    @property
    def period_s(self) -> float:
        """Time between two samples, seconds."""
        return 1.0 / self.rate_hz


class Outage(Strict):
    """What both outage indicators share: one probe, judged at one deadline in one phase."""

    of: str
    deadline_s: Annotated[Number, Field(gt=0)] = DEADLINE_S
    during: During = "fault"
    at_most: Annotated[Number, Field(ge=0)]


class LongestOutage(Outage):
    """The longest disruption interval is at most ``at_most`` seconds."""

    indicator: Literal["longest_outage_s"]


class TotalOutage(Outage):
    """All disruption intervals together are at most ``at_most`` seconds long."""

    indicator: Literal["total_outage_s"]


class BadSamples(Strict):
    """At most ``at_most`` samples of all probes named are not OK within ``deadline_s``."""

    indicator: Literal["bad_samples"]
    of: Names
    deadline_s: Annotated[Number, Field(gt=0)] = DEADLINE_S
    during: During = "fault"
    at_most: Annotated[int, Field(ge=0)]


class TimeToWhole(Strict):
    """From ``since`` until every component is good, at most ``at_most`` seconds."""

    indicator: Literal["time_to_whole_s"]
    since: Literal["undo", "injection"]
    at_most: Annotated[Number, Field(gt=0)]


class TimeToDrained(Strict):
    """From the injection until no pod that was to go is left on the node, at most ``at_most``."""

    indicator: Literal["time_to_drained_s"]
    at_most: Annotated[Number, Field(gt=0)]


AnyOutage = LongestOutage | TotalOutage
Objective = AnyOutage | BadSamples | TimeToWhole | TimeToDrained

INDICATORS: Mapping[str, type[Objective]] = {
    "longest_outage_s": LongestOutage,
    "total_outage_s": TotalOutage,
    "bad_samples": BadSamples,
    "time_to_whole_s": TimeToWhole,
    "time_to_drained_s": TimeToDrained,
}


def probes_of(objective: Objective) -> tuple[str, ...]:
    """The probes that an objective asks; none where it asks facts of the cluster."""
    if isinstance(objective, TimeToWhole | TimeToDrained):
        return ()
    return (objective.of,) if isinstance(objective, Outage) else objective.of


def during_of(objective: Objective) -> str:
    """The phase that an objective is about, or the moment that it counts from."""
    if isinstance(objective, TimeToDrained):
        return "since injection"
    return f"since {objective.since}" if isinstance(objective, TimeToWhole) else objective.during


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


class Experiment(Strict):
    """The whole of it; built by ``from_mapping`` or store.experiment_file, never by hand."""

    title: str
    description: str
    tags: tuple[str, ...]
    method: tuple[Activity, ...]
    given: tuple[str, ...]
    baseline_s: float
    probes: Mapping[str, ProbeSpec]
    objectives: tuple[Objective, ...]
    abort_when: LongestOutage | None
    beyond_tolerance: bool = False
    """Whether it may break more at once than the cluster tolerates (run/limits.py)."""

    @property
    def faults(self) -> tuple[Activity, ...]:
        """The steps that break something; none in a control that declares no fault."""
        return tuple(step for step in self.method if step.kind == "fault")

    def hard_timeout_s(self, probe: str, /) -> float:
        """How long one sample of ``probe`` is waited for: its largest deadline, at least 5 s."""
        return max([HARD_TIMEOUT_S, *self.deadlines_s(probe)])

    def deadlines_s(self, probe: str, /) -> tuple[float, ...]:
        """Every deadline that ``probe`` is judged at, shortest first; 1 s where there is none."""
        asked = [*self.objectives, *([self.abort_when] if self.abort_when else [])]
        found = {
            objective.deadline_s
            for objective in asked
            if isinstance(objective, Outage | BadSamples) and probe in probes_of(objective)
        }
        return tuple(sorted(found or {DEADLINE_S}))

    @classmethod
    def from_mapping(
        cls,
        document: Mapping[str, Any],
        *,
        known_functions: Mapping[str, Sequence[str]] | None = None,
        known_probes: Mapping[str, Sequence[str]] | None = None,
        known_arrangements: Sequence[str] | None = None,
    ) -> Experiment:
        """Reads a parsed document; raises SpecError (without file and line) at the first mistake.

        Args:
            known_functions: function → names of its arguments; None: any name is taken.
            known_probes: word of the probe catalogue → first words of the paths that it can be
                asked by; None: any word is taken.
            known_arrangements: words for ``given``; None: any word is taken.
        """
        frame = check_frame(document)
        plan, where = frame.plan, ("extensions", frame.plan_index)
        for index, word in enumerate(plan.given):
            if known_arrangements is not None and word not in known_arrangements:
                path = (*where, "given", index)
                _refuse(path, found=repr(word), allowed=", ".join(sorted(known_arrangements)))
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


def _activity(
    step: dict[str, Any], *, index: int, known_functions: Mapping[str, Sequence[str]] | None
) -> Activity:
    provider = step.get("provider")
    module = provider.get("module", "") if isinstance(provider, Mapping) else ""
    if not str(module).startswith("quorate"):
        return _foreign(step, index=index, module=str(module))
    read = checked(step, model=_Step, prefix=("method", index))
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
        if known is not None and spec.path.partition(":")[0] not in known[spec.probe]:
            ways = ", ".join(known[spec.probe])
            _refuse((*path, "path"), found=repr(spec.path), allowed=f"for {spec.probe}: {ways}")
        found[name] = spec
    return found


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
        _check_objective(objective, experiment=experiment, where=(*where, "objectives", index))
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
    if isinstance(objective, Outage) and objective.at_most < 1 / rates[0]:
        _refuse(
            (*where, "at_most"),
            found=f"{objective.at_most:g} at {rates[0]:g} Hz",
            allowed=f"at least one period ({1 / rates[0]:g} s); bad_samples counts single ones",
        )


def _refuse(path: tuple[str | int, ...], *, found: str, allowed: str) -> NoReturn:
    raise SpecError(None, field=path_text(path), found=found, allowed=allowed)


class _Provider(Strict):
    type: Literal["python"]
    module: Literal["quorate.faults"]
    func: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    arguments: dict[str, Any] = Field(default_factory=dict)


class _Step(Strict):
    name: Annotated[str, Field(min_length=1)]
    type: Literal["action"]
    provider: _Provider
