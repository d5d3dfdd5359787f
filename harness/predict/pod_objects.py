"""Pods as the API tells of them → facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from quorate.harness.errors import DriverError
from quorate.harness.predict.facts import PodFacts

UNREACHABLE = "node.kubernetes.io/unreachable"


def parse_pod(
    pod: Mapping[str, Any], *, ready: bool, leaves: bool, budgets: Sequence[Mapping[str, Any]] = ()
) -> PodFacts:
    """Facts of one pod. DriverError where it is none.

    ``ready``, ``leaves`` (in a drain) and ``budgets`` (over it) are what its driver makes of it.
    """
    try:
        spec, meta = pod["spec"], pod["metadata"]
        return PodFacts(
            name=f"{meta.get('namespace', '')}/{meta.get('name', '')}",
            node=str(spec.get("nodeName", "")),
            ready=ready,
            leaves=leaves,
            pre_stop_s=_longest([_pre_stop_s(one) for one in spec.get("containers") or ()]),
            grace_s=float(spec.get("terminationGracePeriodSeconds", PodFacts.grace_s)),
            unreachable_s=_unreachable_s(spec.get("tolerations") or ()),
            budgets=tuple(map(_allows, budgets)),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DriverError(f"a pod cannot be read: {type(error).__name__}: {error}") from error


def _allows(budget: Mapping[str, Any]) -> tuple[str, int]:
    allowed = (budget.get("status") or {}).get("disruptionsAllowed") or 0
    return f"{budget['metadata']['namespace']}/{budget['metadata']['name']}", int(allowed)


def _longest(each: Sequence[float | None]) -> float | None:
    known = [one for one in each if one is not None]
    return max(known, default=0.0) if len(known) == len(each) else None


def _pre_stop_s(container: Mapping[str, Any]) -> float | None:
    """0 where there is none; None where it is something else than a sleep."""
    hook = (container.get("lifecycle") or {}).get("preStop")
    if hook is None:
        return 0.0
    if "sleep" in hook:
        return float(hook["sleep"]["seconds"])
    command: Sequence[str] = (hook.get("exec") or {}).get("command") or []
    if len(command) == 2 and command[0].rpartition("/")[2] == "sleep":
        return float(command[1])
    return None


def _unreachable_s(tolerations: Sequence[Mapping[str, Any]]) -> float | None:
    """The admission plugin DefaultTolerationSeconds writes 300 s into every pod that says none."""
    for one in tolerations:
        if one.get("key") == UNREACHABLE and one.get("tolerationSeconds") is not None:
            return float(one["tolerationSeconds"])
    return None
