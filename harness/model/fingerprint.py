"""What a cluster is made of, as far as it decides how long its faults last; frozen, no I/O.

Equal for two runs whose numbers may be compared; where it is not, it says what differs.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict

_INSTANCE = re.compile(r"^keepalived vrrp_instance \S+ ")

Settings = Mapping[str, str]
"""What is set ("keepalived vrrp_instance api advert_int") → to what ("1")."""


class Fingerprint(BaseModel):
    """``cluster``: settings of the whole; ``nodes``: node → its settings.

    ``missing`` says what could not be read. ``id`` is the digest of all settings, and empty where
    something is missing: nothing can be said to be the same as what is not known.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    cluster: Settings
    nodes: Mapping[str, Settings]
    missing: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, cluster: Settings, nodes: Mapping[str, Settings], *, missing: tuple[str, ...] = ()
    ) -> Fingerprint:
        """The fingerprint of these settings; their order does not matter."""
        text = json.dumps({"cluster": dict(cluster), "nodes": _plain(nodes)}, sort_keys=True)
        digest = hashlib.sha256(text.encode()).hexdigest()[:16]
        return cls(id="" if missing else digest, cluster=cluster, nodes=nodes, missing=missing)


def changes(before: Fingerprint, after: Fingerprint) -> tuple[str, ...]:
    """What differs, a line each: "keepalived advert_int 1 → 3 on cp2".

    A node that came or went is one line, and what changed alike on several nodes is one too. The
    name of a VRRP instance is left out where both know but one.
    """
    lines = _differing(before.cluster, after.cluster)
    several = len(_instances(before) | _instances(after)) > 1
    alike: dict[str, list[str]] = {}
    for node in sorted({*before.nodes, *after.nodes}):
        if node not in after.nodes:
            lines.append(f"node {node} is gone")
        elif node not in before.nodes:
            lines.append(f"node {node} is new")
        else:
            for text in _differing(before.nodes[node], after.nodes[node]):
                told = text if several else _INSTANCE.sub("keepalived ", text)
                alike.setdefault(told, []).append(node)
    return (*lines, *(f"{text} on {', '.join(nodes)}" for text, nodes in sorted(alike.items())))


def _instances(fingerprint: Fingerprint) -> set[str]:
    """The words before the settings of VRRP instances."""
    settings = (what for found in fingerprint.nodes.values() for what in found)
    return {match.group() for what in settings if (match := _INSTANCE.match(f"{what} "))}


def _differing(before: Settings, after: Settings) -> list[str]:
    found = []
    for what in sorted({*before, *after}):
        if what not in after:
            found.append(f"{what} {before[what]} taken out")
        elif what not in before:
            found.append(f"{what} {after[what]} added")
        elif before[what] != after[what]:
            found.append(f"{what} {before[what]} → {after[what]}")
    return found


def _plain(nodes: Mapping[str, Settings]) -> dict[str, dict[str, str]]:
    return {node: dict(settings) for node, settings in nodes.items()}
