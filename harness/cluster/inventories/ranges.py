"""Ansible's host patterns: ``node[01:50]``, ``db-[a:f]``, ``web[0:10:2]``, ``node1:2222``.

Source: https://docs.ansible.com/ansible/latest/inventory_guide/intro_inventory.html .
"""

from __future__ import annotations

import re
import string
from collections.abc import Sequence

MOST_HOSTS = 1000
"""What one pattern may stand for; more is taken for a slip of the finger."""

_RANGE = re.compile(r"\[([^\[\]]*)\]")
_PORT = re.compile(r"^([^:\[\]]*(?:\[[^\[\]]*\][^:\[\]]*)*):(\d+)$")


def expanded(pattern: str) -> tuple[tuple[str, ...], str]:
    """The names that it stands for, in order, and the port after it, "" where none is said.

    ValueError says why it is no pattern.
    """
    ported = _PORT.match(pattern)
    names, port = (ported[1], ported[2]) if ported else (pattern, "")
    return tuple(_all(names)), port


def _all(pattern: str) -> list[str]:
    found = _RANGE.search(pattern)
    if found is None:
        if "[" in pattern or "]" in pattern:
            raise ValueError("a range is [first:last] or [first:last:step]")
        return [pattern]
    heads, tails = _members(found[1]), _all(pattern[found.end() :])
    if len(heads) * len(tails) > MOST_HOSTS:
        raise ValueError(f"it stands for more than {MOST_HOSTS} hosts")
    return [pattern[: found.start()] + head + tail for head in heads for tail in tails]


def _members(text: str) -> Sequence[str]:
    """Of one range, its last included; numbers are as wide as a first one that begins with 0."""
    first, _, rest = text.partition(":")
    last, colon, step = rest.partition(":")
    if colon and not (step.isdigit() and int(step)):
        raise ValueError("a step is a number above 0")
    by, letters = int(step or 1), string.ascii_letters
    if first in letters and last in letters and len(first) == len(last) == 1:
        members: Sequence[str] = letters[letters.index(first) : letters.index(last) + 1 : by]
    elif last.isdigit() and (first or "0").isdigit():
        width = len(first) if first.startswith("0") else 0
        if width > 1 and len(last) != width:
            raise ValueError("first and last are of one width where the first begins with 0")
        numbers = range(int(first or 0), int(last) + 1, by)[: MOST_HOSTS + 1]
        members = [str(one).zfill(width) for one in numbers]
    else:
        raise ValueError("a range goes from number to number or from letter to letter")
    if not members:
        raise ValueError("a range's last does not come before its first")
    return members
