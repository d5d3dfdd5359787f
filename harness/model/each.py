"""One line of an experiment for every API server: what stands for ``path: apiserver:each``.

A shipped file cannot name the nodes of a cluster. When a run opens, or a bound is looked up, a
probe of that path becomes one for each control plane, called ``<name>_<node>``, and each objective
of it becomes one of each; what is stored with the run is the document with these lines.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from quorate.harness.errors import SpecError
from quorate.harness.model.experiment import PROBE_NAME, Experiment

EACH = "apiserver:each"

Names = Mapping[str, Sequence[str]]


def is_meant(experiment: Experiment) -> bool:
    """Whether there is anything to be spread."""
    return any(spec.path == EACH for spec in experiment.probes.values())


def spread(document: Mapping[str, Any], *, nodes: Sequence[str]) -> dict[str, Any]:
    """The document (which was checked) with a line for each node. SpecError where it then has a
    name twice, or where the guard would be of several."""
    changed = copy.deepcopy(dict(document))
    (plan,) = (one for one in changed["extensions"] if one["name"] == "quorate")
    probes: dict[str, Any] = plan["probes"]
    names = {
        name: _names(name, nodes) for name, probe in probes.items() if probe.get("path") == EACH
    }
    plan["probes"] = {}
    for name, probe in probes.items():
        new = {name: probe}
        if name in names:
            paths = (f"apiserver:{node}" for node in nodes)
            new = {
                one: {**probe, "path": path} for one, path in zip(names[name], paths, strict=True)
            }
        for one in new:
            if one in plan["probes"] or (one != name and one in probes):
                _refuse(f"probes.{name}", f"{one!r} a second time", "a name of its own")
        plan["probes"] |= new
    plan["objectives"] = [line for one in plan["objectives"] for line in _lines(one, names)]
    if (guard := plan.get("abort_when")) and guard["of"] in names:
        _refuse("abort_when.of", f"{guard['of']!r}, which is several", "a probe of one path")
    return changed


def _names(name: str, nodes: Sequence[str]) -> list[str]:
    """By node where that makes names of probes, and different ones; else by number."""
    found = [f"{name}_{node.replace('-', '_').replace('.', '_')}" for node in nodes]
    if len(set(found)) == len(found) and all(map(PROBE_NAME.fullmatch, found)):
        return found
    return [f"{name}_{number}" for number in range(1, len(nodes) + 1)]


def _lines(objective: Mapping[str, Any], names: Names) -> Iterator[dict[str, Any]]:
    of: Any = objective.get("of")
    if isinstance(of, list) or objective["indicator"] == "bad_samples":
        told = of if isinstance(of, list) else [of]
        yield {**objective, "of": [one for name in told for one in names.get(name, [name])]}
    elif of in names:
        yield from ({**objective, "of": one} for one in names[of])
    else:
        yield dict(objective)


def _refuse(field: str, found: str, allowed: str) -> None:
    raise SpecError(None, field=f"extensions.{field}", found=found, allowed=allowed)
