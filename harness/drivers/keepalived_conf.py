"""keepalived.conf made worse, as text; pure."""

from __future__ import annotations

import re
from collections.abc import Collection

from quorate.harness.predict.facts import VrrpInstance

HIGHEST_PRIORITY = 254
"""255 is the address's owner's (RFC 9568, 5.2.4)."""


def with_priority(text: str, *, instance: str, priority: int) -> str:
    """The vrrp_instance of this name with this priority."""
    return _with(text, blocks={("vrrp_instance", instance)}, word="priority", value=priority)


def with_slow_adverts(text: str, *, instance: str, advert_s: int) -> str:
    """The vrrp_instance of this name, announcing itself so seldom."""
    return _with(text, blocks={("vrrp_instance", instance)}, word="advert_int", value=advert_s)


def with_slow_scripts(
    text: str, *, scripts: Collection[str], interval_s: int, fall: int | None = None
) -> str:
    """These vrrp_scripts, run so seldom; failed only after so many failed runs on end (None: as
    it was)."""
    blocks = {("vrrp_script", name) for name in scripts}
    slow = _with(text, blocks=blocks, word="interval", value=interval_s)
    return slow if fall is None else _with(slow, blocks=blocks, word="fall", value=fall)


def with_instance_beside(text: str, like: VrrpInstance, *, name: str, address: str) -> str:
    """One more vrrp_instance, for another address and by multicast, that yields to any other
    (priority 1); with interface, virtual_router_id and advert_int `like` one that is there."""
    end = "" if text.endswith("\n") else "\n"
    return f"""{text}{end}
vrrp_instance {name} {{
    state BACKUP
    interface {like.interface}
    virtual_router_id {like.virtual_router_id}
    priority 1
    advert_int {like.advert_int_s:g}
    virtual_ipaddress {{
        {address}/32
    }}
}}
"""


def _with(text: str, *, blocks: Collection[tuple[str, str]], word: str, value: int) -> str:
    """`word value` as the first line of each of these blocks, and nowhere else in it."""
    made: list[str] = []
    depth, inside = 0, False
    for line in text.splitlines(keepends=True):
        words = re.split("[#!]", line)[0].split()
        if not depth and len(words) > 1 and words[0] != "}":
            inside = (words[0], words[1]) in blocks
        if inside and depth == 1 and words[:1] == [word]:
            continue
        made.append(line)
        before, depth = depth, depth + words.count("{") - words.count("}")
        if inside and not before and depth == 1:
            made.append(f"    {word} {value}\n")
    return "".join(made)
