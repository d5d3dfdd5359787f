"""docs/faults.md, written from the catalogue: python -m quorate.harness.run.fault_table > FILE."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

from quorate.harness.faults.catalogue import ARRANGEMENTS, FAULTS
from quorate.harness.faults.contract import Arrangement, Fault, Parameter
from quorate.harness.run.targets import target_words

HEAD = """# Faults

Generated from the catalogue by `python -m quorate.harness.run.fault_table > docs/faults.md`;
`tests/contract/test_catalogue.py` fails when it is out of date.

A fault is put on only after its way back is on disk. Its proof never believes the act. When the
harness dies, the guardian takes it off; when the guardian is gone too, the last column says what
does. The *switch* is a dead man's switch: a transient systemd timer on the faulted node, armed
before the act, that runs the same undo at the watch's end and a margin. `quorate undo` works from
any machine that holds the run directory (with `--cluster`, where its paths are others).
"""

TARGETS = """\
It is resolved once, written down, and resolved again if it has moved by the time of the act. A
choice among several is drawn with the run's seed. More nodes at once than cluster.yaml's
`limits.nodes_at_once` (1), fewer API servers left than `limits.healthy_control_planes` (1), or the
loss of etcd's quorum: refused, unless the experiment says `beyond_tolerance: true`."""


def page() -> str:
    """The whole file, with its trailing newline."""
    lines = [
        HEAD,
        *_table(),
        "",
        "## Arguments",
        "",
        *_arguments("fault", FAULTS),
        "",
        "## Targets",
        "",
    ]
    words = [f"`{word}`" for word in target_words()]
    lines += [
        f"`target` is one of {', '.join(words)}.",
        TARGETS,
        "",
        "## Arrangements",
        "",
        "Worse states for `given:`, put on before the baseline and taken back at the end.",
        "",
        "| arrangement | what it is |",
        "|---|---|",
        *(_row([f"`{one.name}`", one.summary]) for _, one in sorted(ARRANGEMENTS.items())),
        "",
        "Some take arguments: `given: [{vrrp_script_slow: {interval_s: 3, fall: 10}}]`.",
        "",
        *_arguments("arrangement", ARRANGEMENTS),
    ]
    return "\n".join(lines) + "\n"


def _table() -> list[str]:
    head = ["fault", "what breaks", "acts by", "proved by", "undone by", "if the harness dies"]
    return [_row(head), "|" + "---|" * len(head), *(_row(_cells(one)) for one in _faults())]


def _cells(fault: Fault) -> list[str]:
    texts = (fault.summary, fault.acts_by, fault.proved_by, fault.undone_by, fault.without_harness)
    return [f"`{fault.name}`", *texts]


def _arguments(what: str, catalogue: Mapping[str, Fault | Arrangement]) -> list[str]:
    """Beside `target`, `watch_until` and `at_most_s`, which every fault has."""
    lines = [_row([what, "argument", "default", "is"]), "|---|---|---|---|"]
    for name, of in sorted(catalogue.items()):
        lines += [_row([f"`{name}`", *_argument(one)]) for one in of.parameters]
    return lines


def _argument(one: Parameter) -> list[str]:
    if one.default is None:
        return [f"`{one.name}`", "as it is", one.text]
    default = "required" if one.default is ... else f"`{one.default}`"
    return [f"`{one.name}`", default, one.text]


def _faults() -> Sequence[Fault]:
    return [FAULTS[name] for name in sorted(FAULTS)]


def _row(cells: Sequence[str]) -> str:
    # A bar would end the cell.
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    sys.stdout.write(page())
