"""A plan for people and for machines; nothing is asked of a cluster here."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from quorate.harness.model.undo import Undo
from quorate.harness.run.limits import Arithmetic
from quorate.harness.run.plan import FaultPlan, RunPlan
from quorate.reports.text import prediction_text

SHOWN_CHARS = 60
"""Longer words of a command (scripts, patches) are shown by their length; --json has them whole."""


def render_plan(plan: RunPlan) -> str:
    """The whole text; it ends with a newline."""
    return "\n".join(_lines(plan)) + "\n"


def plan_to_dict(plan: RunPlan) -> dict[str, object]:
    """The same as plain lists, mappings and scalars."""
    return {
        "title": plan.experiment.title,
        "cluster": plan.cluster,
        "seed": plan.seed,
        "exit_code": plan.exit_code,
        "lasts_at_most_s": plan.lasts_s,
        "given": [one.model_dump(mode="json") for one in plan.experiment.given],
        "beyond_tolerance": plan.experiment.beyond_tolerance,
        "bounds": plan.bounds,
        "facts": plan.facts.to_dict(),
        "targets": {word: list(nodes) for word, nodes in plan.targets.items()},
        "faults": [_fault_dict(one) for one in plan.faults],
        "refusals": list(plan.refusals),
        "known_once_arranged": list(plan.later),
        "warnings": list(plan.warnings),
    }


def _lines(plan: RunPlan) -> Iterator[str]:
    experiment = plan.experiment
    yield experiment.title
    yield f"cluster {plan.cluster}; seed {plan.seed}; nothing was changed"
    yield f"a run lasts {plan.lasts_s:.0f} s at most, undos and waits included"
    facts = plan.facts
    yield f"now the VIP is on {facts.vip_holder or 'nobody knows which node'}, etcd is led by " + (
        facts.etcd_leader or "nobody that is known"
    )
    if experiment.given:
        first = ", ".join(map(str, experiment.given))
        yield f"arranged first: {first}; predictions below are of how it is now"
    yield from _section("Must hold", [f"{name} at most {x:g}" for name, x in plan.bounds.items()])
    for fault in plan.faults:
        yield from _fault(fault, beyond=experiment.beyond_tolerance)
    if not plan.faults:
        yield "nothing is broken"
    yield from _section("Known only once it is arranged", list(plan.later))
    yield from _section("Be warned", list(plan.warnings))
    yield from _section("A run would be refused now", list(plan.refusals))


def _fault(one: FaultPlan, *, beyond: bool) -> Iterator[str]:
    placed = one.placed
    word, nodes = placed.arguments["target"], ", ".join(placed.nodes) or "nobody yet"
    yield ""
    yield f"{placed.fault.name} on {word} = {nodes}"
    yield f"  {placed.fault.summary}"
    yield from _section("Blast radius", list(one.radius), indent="  ")
    told = list(_arithmetic(one.arithmetic))
    told += ["this experiment says beyond_tolerance: true"] if beyond else []
    yield from _section("What is left", told, indent="  ")
    yield from _section(
        "Predicted from the live configuration",
        [prediction_text(prediction) for prediction in one.predictions],
        indent="  ",
    )
    yield from _section(
        "Put on by",
        [f"{act.node}: {_command(act.argv)}" for act in one.ways.acts],
        indent="  ",
    )
    yield from _section(
        f"Undo, after {one.watched_s:.0f} s at most",
        [line for undo in one.ways.undos for line in _undo(undo)],
        indent="  ",
    )
    switches = one.ways.switches
    yield from _section(
        "If nobody is left to undo it",
        [f"{two.node}, {two.after_s:.0f} s after it was armed: {two.text}" for two in switches]
        or [placed.fault.without_harness],
        indent="  ",
    )


def _section(title: str, lines: list[str], *, indent: str = "") -> Iterator[str]:
    if lines:
        yield ""
        yield f"{indent}{title}"
        yield from (f"{indent}  {line}" for line in lines)


def _arithmetic(one: Arithmetic) -> Iterator[str]:
    reach = one.reach
    yield f"nodes with a fault at once: {len(reach.nodes)}; cluster.yaml allows {one.nodes_allowed}"
    if one.members:
        told = [f"without {', '.join(reach.members)}"] if reach.members else []
        pairs = sorted({" from ".join(sorted(link)) for link in reach.apart})
        told += [f"cut off: {', '.join(pairs)}"] if pairs else []
        yield (
            f"etcd members that reach one another: {one.members_left} of {one.members}"
            f"{_in_brackets(told)}; quorum needs {one.members_needed}"
        )
    told = [f"without {', '.join(reach.servers)}"] if reach.servers else []
    yield (
        f"API servers: {one.servers_left} of {one.servers}{_in_brackets(told)}; cluster.yaml "
        f"demands {one.servers_needed}"
    )


def _in_brackets(told: list[str]) -> str:
    return f" ({'; '.join(told)})" if told else ""


def _undo(undo: Undo) -> Iterator[str]:
    yield undo.text
    yield f"  {undo.node}: {_command(undo.argv)}"


def _command(argv: tuple[str, ...]) -> str:
    return " ".join(
        shlex.quote(word)
        if len(word) <= SHOWN_CHARS and "\n" not in word
        else f"<{len(word)} characters>"
        for word in argv
    )


def _fault_dict(one: FaultPlan) -> dict[str, object]:
    arithmetic, reach = one.arithmetic, one.arithmetic.reach
    return {
        "fault": one.placed.fault.name,
        "arguments": dict(one.placed.arguments),
        "nodes": list(one.placed.nodes),
        "on_at_most_s": one.watched_s,
        "blast_radius": list(one.radius),
        "left": {
            "nodes_hit": list(reach.nodes),
            "nodes_allowed": arithmetic.nodes_allowed,
            "members_lost": list(reach.members),
            "links_lost": sorted(list(link) for link in reach.apart),
            "members": arithmetic.members,
            "members_left": arithmetic.members_left,
            "members_needed": arithmetic.members_needed,
            "servers_lost": list(reach.servers),
            "servers": arithmetic.servers,
            "servers_left": arithmetic.servers_left,
            "servers_needed": arithmetic.servers_needed,
        },
        "predicted": [prediction.as_predicted() for prediction in one.predictions],
        "acts": [act.to_dict() for act in one.ways.acts],
        "undos": [undo.model_dump(mode="json") for undo in one.ways.undos],
        "switches": [
            {"node": two.node, "after_s": two.after_s, "text": two.text}
            for two in one.ways.switches
        ],
        "without_harness": one.placed.fault.without_harness,
    }
