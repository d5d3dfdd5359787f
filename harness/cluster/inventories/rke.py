"""RKE's cluster.yml: its nodes, and its bastion. Source:
https://rke.docs.rancher.com/config-options/nodes and …/bastion-host ."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from quorate.harness.cluster.inventories.host import Host, jump, key_file, number
from quorate.harness.errors import SpecError


def read(document: Mapping[str, Any], *, file: Path) -> tuple[Host, ...]:
    """The nodes, with their roles as groups. SpecError with the field of a node that has no
    address, or of roles that are no list."""
    shared = key_file(_text(document, "ssh_key_path"))
    way = _way(document.get("bastion_host"), file=file)
    hosts = []
    for index, node in enumerate(document["nodes"]):
        where = f"nodes[{index}]"
        if not isinstance(node, dict) or not node.get("address"):
            raise SpecError(file, field=where, found="none", allowed="a node's address")
        roles = node.get("role") or []
        if not isinstance(roles, list):
            raise SpecError(file, field=f"{where}.role", found=repr(roles), allowed="a list")
        address = _text(node, "address")
        hosts.append(
            Host(
                name=_text(node, "hostname_override") or address,
                address=address,
                inner=_text(node, "internal_address"),
                user=_text(node, "user"),
                port=number(_text(node, "port")),
                groups=tuple(sorted(map(str, roles))),
                ssh_options=(*way, *(key_file(_text(node, "ssh_key_path")) or shared)),
            )
        )
    return tuple(hosts)


def _way(bastion: Any, *, file: Path) -> tuple[str, ...]:
    if bastion is None:
        return ()
    if not isinstance(bastion, dict):
        found = type(bastion).__name__
        raise SpecError(file, field="bastion_host", found=found, allowed="address, user, port")
    address = _text(bastion, "address")
    if not address:  # `rke config` writes the section, empty
        return ()
    return jump(address, user=_text(bastion, "user"), port=_text(bastion, "port"))


def _text(of: Mapping[str, Any], key: str) -> str:
    value = of.get(key)
    return "" if value is None else str(value)
