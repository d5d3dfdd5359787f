"""keepalived.conf made worse, as text; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

HIGHEST_PRIORITY = 254
"""255 is the address's owner's (RFC 9568, 5.2.4)."""

DEFAULT_PRIORITY = 100


def priorities(text: str) -> tuple[int, ...]:
    """The priority of each vrrp_instance, in order."""
    return tuple(
        next((int(words[1]) for words in block if words[0] == "priority"), DEFAULT_PRIORITY)
        for block in _blocks(text, "vrrp_instance")
    )


def with_priority(text: str, priority: int) -> str:
    """Every vrrp_instance with this priority."""
    return _with(text, block="vrrp_instance", word="priority", value=str(priority))


def with_slow_scripts(text: str, *, interval_s: int) -> str:
    """Every vrrp_script run so seldom."""
    return _with(text, block="vrrp_script", word="interval", value=str(interval_s))


def _blocks(text: str, kind: str) -> Iterator[list[Sequence[str]]]:
    """The lines of each block of this kind, as words; blocks within it included."""
    depth, inside, words_of = 0, False, list[Sequence[str]]()
    for line in text.splitlines():
        words = re.split(r"[#!]", line)[0].split()
        if not depth and words[:1] == [kind]:
            inside, words_of = True, []
        elif inside and words:
            words_of.append(words)
        depth += words.count("{") - words.count("}")
        if inside and not depth and "}" in words:
            inside = False
            yield words_of


def _with(text: str, *, block: str, word: str, value: str) -> str:
    """`word value` as the first line of every such block, and nowhere else in it."""
    made, depth, inside = [], 0, False
    for line in text.splitlines(keepends=True):
        words = re.split(r"[#!]", line)[0].split()
        if not depth and words[:1] == [block]:
            inside = True
        elif inside and depth == 1 and words[:1] == [word]:
            continue
        made.append(line)
        before, depth = depth, depth + words.count("{") - words.count("}")
        if inside and not before and depth:
            made.append(f"    {word} {value}\n")
        if inside and before and not depth:
            inside = False
    return "".join(made)
