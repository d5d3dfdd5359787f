"""Reads the bounds of one cluster: ``objectives.yaml`` beside its cluster.yaml, and ``--set``.

::

    format: 1
    at_most:
      vip_drop_holder:               # the experiment's file, without folder and .yaml
        longest_outage_s:api: 8      # adverts come every 3 s here
        abort_when: 60

``--set vip_drop_holder/longest_outage_s:api=8`` says the same for one command; without the
experiment's name it is meant for every experiment that has one such bound. How bounds are named
stands in model/bounds.py. A section for an experiment that is not played is left alone, but one
that is played must have every bound that its section names.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from quorate.harness.errors import SpecError
from quorate.harness.model.bounds import (
    GUARD,
    OF_CLUSTER,
    OF_COMMAND,
    Override,
    Source,
    matching,
)
from quorate.harness.model.experiment import Experiment
from quorate.harness.model.objectives import INDICATORS
from quorate.harness.model.strict import Number, Strict, checked, path_text
from quorate.harness.store.yaml_lines import line_of, located, parse_yaml

_FORM = "[EXPERIMENT/]BOUND=NUMBER, like longest_outage_s:api=8"


class _BoundsFile(Strict):
    format: Literal[1]
    at_most: dict[Annotated[str, Field(min_length=1)], dict[str, Annotated[Number, Field(ge=0)]]]


class Place(NamedTuple):
    """Where a bound is given, for messages."""

    file: Path | str
    line: int | None = None
    field: str = ""

    @contextlib.contextmanager
    def named(self) -> Iterator[None]:
        """Whatever SpecError is raised inside is about this place."""
        try:
            yield
        except SpecError as error:
            raise SpecError(
                self.file,
                line=self.line,
                field=self.field,
                found=error.found,
                allowed=error.allowed,
            ) from None


class GivenBound(NamedTuple):
    """A bound for the experiment of that name; "" for each that has one such bound."""

    experiment: str
    override: Override
    place: Place


def read_cluster_bounds(cluster_file: Path) -> tuple[GivenBound, ...]:
    """The bounds beside a cluster.yaml, none where there is no such file; SpecError."""
    file = cluster_file.parent / OF_CLUSTER
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(file, field="", found=str(error), allowed="a readable file") from None
    document, lines = parse_yaml(text, file=file)
    with located(file, lines=lines):
        sections = checked(document, model=_BoundsFile).at_most
    found = []
    for name, section in sections.items():
        for bound, at_most in section.items():
            field = path_text(("at_most", name, bound))
            place = Place(file, line_of(field, lines=lines), field)
            found.append(_given(name, bound, at_most=at_most, source=OF_CLUSTER, place=place))
    return tuple(found)


def read_setting(text: str) -> GivenBound:
    """One ``--set``; SpecError where it is none."""
    left, _, right = text.rpartition("=")
    name, _, bound = left.rpartition("/")
    try:
        at_most = float(right)
    except ValueError:
        at_most = math.nan
    if not bound or not math.isfinite(at_most) or at_most < 0:
        raise SpecError(OF_COMMAND, field="", found=repr(text), allowed=_FORM)
    place = Place(f"{OF_COMMAND} {text}")
    return _given(name, bound, at_most=at_most, source=OF_COMMAND, place=place)


def rebound(experiment: Experiment, *, name: str, given: Sequence[GivenBound]) -> Experiment:
    """The experiment called ``name`` with the bounds that are given for it, later before earlier.

    SpecError where one that names this experiment fits none of its bounds, where one may mean
    several, where two of one source mean the same, and for a number that cannot be.
    """
    meant: list[Override] = []
    changed = experiment
    for one in given:
        bound = one.override.bound
        anywhere = not one.experiment and matching(bound, experiment.bound_names)
        if anywhere or one.experiment == name:
            meant.append(one.override)
            with one.place.named():
                changed = experiment.with_bounds(meant)
    return changed


def refuse_unused(given: Sequence[GivenBound], *, played: Mapping[str, Experiment]) -> None:
    """SpecError for a bound that no experiment has of those that are played, by their names."""
    for one in given:
        if one.experiment and one.experiment not in played:
            found, allowed = f"the experiment {one.experiment!r}", [*played]
        else:
            names = [name for each in played.values() for name in each.bound_names]
            if one.experiment or matching(one.override.bound, names):
                continue
            found, allowed = "a bound that no experiment has", [*dict.fromkeys(names)]
        with one.place.named():
            raise SpecError(None, field="", found=found, allowed=allowed)


def _given(name: str, bound: str, *, at_most: float, source: Source, place: Place) -> GivenBound:
    first = bound.partition(":")[0]
    if first not in (GUARD, *INDICATORS):
        with place.named():
            raise SpecError(None, field="", found=repr(first), allowed=[*INDICATORS, GUARD])
    return GivenBound(name, Override(bound=bound, at_most=at_most, source=source), place)
