"""Ansible's inventories, INI and YAML: hosts, their groups, and the variables that ssh needs.

Source: https://docs.ansible.com/ansible/latest/inventory_guide/intro_inventory.html . Ranges
(``node[01:50]``), plugins and files of variables beside the inventory are not followed; Kubespray's
``ip`` is the cluster's own address.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from quorate.harness.cluster.inventories.host import Host
from quorate.harness.errors import SpecError

Variables = dict[str, str]


def read_ini(text: str, *, file: Path) -> tuple[Host, ...]:
    """SpecError with the line of what is no INI inventory."""
    hosts: dict[str, Variables] = {}
    members: dict[str, list[str]] = {}
    children: dict[str, list[str]] = {}
    shared: dict[str, Variables] = {}
    group, kind = "ungrouped", ""
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        if not stripped or stripped[0] in "#;":
            continue
        if stripped.startswith("["):
            if not stripped.endswith("]"):
                raise _bad(file, number, stripped, "[group], [group:vars] or [group:children]")
            group, _, kind = stripped[1:-1].partition(":")
            if kind not in ("", "vars", "children"):
                raise _bad(file, number, stripped, "[group], [group:vars] or [group:children]")
            continue
        try:
            words = shlex.split(stripped, comments=True)
        except ValueError as error:
            raise _bad(file, number, stripped, f"a line of an inventory ({error})") from None
        if kind == "children":
            children.setdefault(group, []).append(words[0])
        elif kind == "vars":
            shared.setdefault(group, {}).update(_pairs(["".join(words)]))
        else:
            if "[" in words[0]:
                raise _bad(file, number, words[0], "hosts by their names: ranges are not followed")
            hosts.setdefault(words[0], {}).update(_pairs(words[1:]))
            members.setdefault(group, []).append(words[0])
    return _hosts(hosts, members, children, shared)


def read_yaml(document: Mapping[str, Any], *, file: Path) -> tuple[Host, ...]:
    """SpecError with the field of what is none."""
    hosts: dict[str, Variables] = {}
    members: dict[str, list[str]] = {}
    children: dict[str, list[str]] = {}
    shared: dict[str, Variables] = {}

    def take(name: str, group: Any, where: str) -> None:
        if not isinstance(group, dict | None) or not set(group or {}) <= {
            "hosts", "children", "vars"
        }:  # fmt: skip
            allowed = "a group of an Ansible inventory: hosts, children, vars"
            raise SpecError(file, field=where, found=str(group)[:60], allowed=allowed)
        for host, variables in ((group or {}).get("hosts") or {}).items():
            hosts.setdefault(str(host), {}).update(_texts(variables))
            members.setdefault(name, []).append(str(host))
        shared.setdefault(name, {}).update(_texts((group or {}).get("vars")))
        for child, inner in ((group or {}).get("children") or {}).items():
            children.setdefault(name, []).append(str(child))
            take(str(child), inner, f"{where}.children.{child}")

    for name, group in document.items():
        take(str(name), group, str(name))
    return _hosts(hosts, members, children, shared)


def _hosts(
    hosts: Mapping[str, Variables],
    members: Mapping[str, list[str]],
    children: Mapping[str, list[str]],
    shared: Mapping[str, Variables],
) -> tuple[Host, ...]:
    made = []
    for name, own in hosts.items():
        groups = [
            group for group in {*members, *children} if name in _inside(group, members, children)
        ]
        said: Variables = dict(shared.get("all", {}))
        for group in sorted(groups):
            said |= shared.get(group, {})
        said |= own
        port = said.get("ansible_port", "")
        made.append(
            Host(
                name=name,
                address=said.get("ansible_host") or said.get("ansible_ssh_host") or name,
                inner=said.get("ip") or said.get("access_ip") or "",
                user=said.get("ansible_user") or said.get("ansible_ssh_user") or "",
                port=int(port) if port.isdigit() else None,
                groups=tuple(sorted({*groups} - {"all", "ungrouped"})),
            )
        )
    return tuple(made)


def _inside(
    group: str, members: Mapping[str, list[str]], children: Mapping[str, list[str]]
) -> set[str]:
    """Its hosts, and those of the groups in it; a circle is gone round once."""
    seen: set[str] = set()
    found: set[str] = set()
    waiting = [group]
    while waiting:
        one = waiting.pop()
        if one in seen:
            continue
        seen.add(one)
        found |= set(members.get(one, ()))
        waiting += children.get(one, ())
    return found


def _pairs(words: list[str]) -> Variables:
    return {key: value for key, _, value in (word.partition("=") for word in words)}


def _texts(variables: Any) -> Variables:
    return {str(key): str(value) for key, value in (variables or {}).items()}


def _bad(file: Path, line: int, found: str, allowed: str) -> SpecError:
    return SpecError(file, line=line, field="", found=repr(found), allowed=allowed)
