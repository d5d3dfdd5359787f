"""RKE's cluster.yml: its nodes. Source: https://rke.docs.rancher.com/config-options/nodes ."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from quorate.harness.cluster.inventories.host import Host
from quorate.harness.errors import SpecError


def read(document: Mapping[str, Any], *, file: Path) -> tuple[Host, ...]:
    """The nodes, with their roles as groups. SpecError with the field of a node that has no
    address."""
    hosts = []
    for index, node in enumerate(document["nodes"]):
        if not isinstance(node, dict) or not node.get("address"):
            raise SpecError(
                file, field=f"nodes[{index}]", found=str(node)[:60], allowed="a node's address"
            )
        port = str(node.get("port") or "")
        hosts.append(
            Host(
                name=str(node.get("hostname_override") or node["address"]),
                address=str(node["address"]),
                inner=str(node.get("internal_address") or ""),
                user=str(node.get("user") or ""),
                port=int(port) if port.isdigit() else None,
                groups=tuple(sorted(map(str, node.get("role") or ()))),
            )
        )
    return tuple(hosts)
