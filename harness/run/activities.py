"""The functions that an experiment's method names, made from the catalogue of faults."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from types import MappingProxyType

from quorate.harness.faults.catalogue import FAULTS, STEPS, parameters_of
from quorate.harness.faults.contract import Parameter
from quorate.harness.model.experiment import UPGRADED
from quorate.harness.run import live, upgraded

Activity = Callable[..., dict[str, object]]


def _signature(name: str) -> inspect.Signature:
    return inspect.Signature(
        [
            inspect.Parameter(
                one.name,
                inspect.Parameter.POSITIONAL_OR_KEYWORD,
                default=inspect.Parameter.empty if one.default is ... else one.default,
                annotation=one.type,
            )
            for one in parameters_of(name)
        ],
        return_annotation=dict[str, object],
    )


def _document(summary: str, parameters: tuple[Parameter, ...]) -> str:
    lines = [f"    {one.name}: {one.text}" for one in parameters]
    return "\n".join([summary, "", "Args:", *lines])


def _activity(name: str, summary: str, play: Callable[..., dict[str, object]]) -> Activity:
    """A function of that name and signature; defaults are filled in before `play` is called."""
    signature = _signature(name)

    def activity(*args: object, **kwargs: object) -> dict[str, object]:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        return play(bound.arguments)

    activity.__name__ = activity.__qualname__ = name
    activity.__module__ = "quorate.faults"
    activity.__doc__ = _document(summary, parameters_of(name))
    activity.__signature__ = signature  # type: ignore[attr-defined]
    return activity


def _injecting(name: str) -> Callable[[Mapping[str, object]], dict[str, object]]:
    return lambda arguments: live.current().inject(name, arguments)


def _undo(arguments: Mapping[str, object]) -> dict[str, object]:
    return live.current().undo(
        watch_until=str(arguments["watch_until"]), at_most_s=float(str(arguments["at_most_s"]))
    )


def _watch(arguments: Mapping[str, object]) -> dict[str, object]:
    run = live.current()
    if arguments["watch_until"] == UPGRADED:
        return upgraded.watch(run, at_most_s=float(str(arguments["at_most_s"])))
    return run.watch(for_s=float(str(arguments["for_s"])))


ACTIVITIES: Mapping[str, Activity] = MappingProxyType(
    {
        **{
            name: _activity(name, fault.summary, _injecting(name)) for name, fault in FAULTS.items()
        },
        "undo": _activity("undo", "Take every fault off, then watch the return leg.", _undo),
        "watch": _activity(
            "watch", "Look on for some seconds, or until somebody's own upgrade is over.", _watch
        ),
    }
)
assert set(STEPS) < set(ACTIVITIES)
