"""Ansible's inventories, INI and YAML: hosts, their groups, and the variables that ssh needs.

Source: https://docs.ansible.com/ansible/latest/inventory_guide/intro_inventory.html . Plugins, and
files of variables beside the inventory, are not followed: `ansible-inventory --list` does that, and
its YAML and JSON are read. Kubespray's ``ip`` is the cluster's own address. Of the variables only
those that ssh needs are taken, and no message repeats a value: others may be passwords.
"""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from quorate.harness.cluster.inventories.host import Host, key_file, number
from quorate.harness.cluster.inventories.ranges import expanded
from quorate.harness.errors import SpecError

Variables = dict[str, str]

_SECTION = re.compile(r"^\[([^:\]\s]+)(?::(vars|children))?\]\s*(?:[#;].*)?$")
SECTIONS = "[group], [group:vars] or [group:children]"
PAIR = "name=value, the value in quotes where there is a space in it"


@dataclass(frozen=True)
class _Read:
    """What stands in the file: variables of hosts and of groups, hosts and groups in groups."""

    file: Path
    hosts: dict[str, Variables] = field(default_factory=dict)
    shared: dict[str, Variables] = field(default_factory=dict)
    members: dict[str, list[str]] = field(default_factory=dict)
    children: dict[str, list[str]] = field(default_factory=dict)

    def take(self, group: str, names: tuple[str, ...], variables: Variables) -> None:
        for name in names:
            self.hosts.setdefault(name, {}).update(variables)
            self.members.setdefault(group, []).append(name)


def read_ini(text: str, *, file: Path) -> tuple[Host, ...]:
    """SpecError with the line of what is no INI inventory."""
    read = _Read(file)
    group, kind = "ungrouped", None
    for count, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        if not stripped or stripped[0] in "#;":
            continue
        try:
            if stripped.startswith("["):
                group, kind = _section(stripped)
            elif kind == "children":
                read.children.setdefault(group, []).append(stripped.split()[0])
            elif kind == "vars":
                read.shared.setdefault(group, {}).update(_assigned(stripped))
            else:
                _take_line(read, group, stripped)
        except SpecError as error:
            raise SpecError(
                file, line=count, field="", found=error.found, allowed=error.allowed
            ) from None
    return _hosts(read)


def _section(line: str) -> tuple[str, str | None]:
    found = _SECTION.match(line)
    if found is None:
        raise _bad(repr(line), SECTIONS)
    return found[1], found[2]


def _assigned(line: str) -> Variables:
    """One of a group's variables: all after the = is its value, a Python literal or a text."""
    name, equals, value = (word.strip() for word in line.partition("="))
    if not equals:
        raise _bad("no = in it", PAIR)
    try:
        value = str(ast.literal_eval(value))
    except (ValueError, SyntaxError, TypeError):
        pass  # Ansible takes it as it is
    return {name: value}


def _take_line(read: _Read, group: str, line: str) -> None:
    name = line.split()[0]
    try:
        words = shlex.split(line, comments=True)
    except ValueError as error:
        raise _bad(f"the line of {name}", f"words; {error}") from None
    variables: Variables = {}
    for place, word in enumerate(words[1:], start=2):
        key, equals, value = word.partition("=")
        if not equals:  # the word itself may be the second half of a password
            raise _bad(f"no = in word {place} of the line of {name}", PAIR)
        variables[key] = value
    _take_pattern(read, group, words[0], variables)


def _take_pattern(read: _Read, group: str, pattern: str, variables: Variables) -> None:
    try:
        names, port = expanded(pattern)
    except ValueError as error:
        raise _bad(repr(pattern), f"a host's name, or a range of them: {error}") from None
    read.take(group, names, ({"ansible_port": port} if port else {}) | variables)


def read_yaml(document: Mapping[str, Any], *, file: Path) -> tuple[Host, ...]:
    """Also what `ansible-inventory --list` prints. SpecError with the field of what is none."""
    read = _Read(file)
    for name, group in document.items():
        if name == "_meta":
            continue
        _take_group(read, str(name), group, where=str(name))
    kept = document.get("_meta") or {}
    for host, variables in _mapped(read, kept.get("hostvars"), where="_meta.hostvars").items():
        if host in read.hosts:
            read.hosts[host].update(_texts(read, variables, where=f"_meta.hostvars.{host}"))
    return _hosts(read)


def _take_group(read: _Read, name: str, group: Any, *, where: str) -> None:
    parts = _mapped(read, group, where=where)
    strange = sorted(set(parts) - {"hosts", "children", "vars"})
    if strange:
        allowed = "a group of an Ansible inventory: hosts, children, vars"
        raise SpecError(read.file, field=where, found=", ".join(strange), allowed=allowed)
    for pattern, variables in _named(read, parts.get("hosts"), where=f"{where}.hosts").items():
        place = f"{where}.hosts.{pattern}"
        texts = _texts(read, variables, where=place)
        try:
            _take_pattern(read, name, pattern, texts)
        except SpecError as error:
            raise SpecError(
                read.file, field=place, found=error.found, allowed=error.allowed
            ) from None
    shared = _texts(read, parts.get("vars"), where=f"{where}.vars")
    read.shared.setdefault(name, {}).update(shared)
    below = _named(read, parts.get("children"), where=f"{where}.children")
    for child, inner in below.items():
        read.children.setdefault(name, []).append(child)
        _take_group(read, child, inner, where=f"{where}.children.{child}")


def _named(read: _Read, part: Any, *, where: str) -> dict[str, Any]:
    """Hosts or groups in a group: a mapping, or names alone."""
    if isinstance(part, str | list):
        part = dict.fromkeys(map(str, [part] if isinstance(part, str) else part))
    return _mapped(read, part, where=where)


def _mapped(read: _Read, part: Any, *, where: str) -> dict[str, Any]:
    if not isinstance(part, dict | None):
        raise SpecError(read.file, field=where, found=type(part).__name__, allowed="a mapping")
    return {str(key): value for key, value in (part or {}).items()}


def _texts(read: _Read, variables: Any, *, where: str) -> Variables:
    given = _mapped(read, variables, where=where).items()
    return {key: str(value) for key, value in given if value is not None}


def _hosts(read: _Read) -> tuple[Host, ...]:
    groups = sorted({*read.members, *read.children} - {"all"}, key=lambda one: _rank(one, read))
    inside = {group: _inside(group, read) for group in groups}
    made = []
    for name, own in read.hosts.items():
        mine = [group for group in groups if name in inside[group]]
        said = dict(read.shared.get("all", {}))
        for group in mine:
            said |= read.shared.get(group, {})
        made.append(_host(name, said | own, tuple(sorted({*mine} - {"ungrouped"})), read.file))
    return tuple(made)


def _host(name: str, said: Variables, groups: tuple[str, ...], file: Path) -> Host:
    def one(*keys: str) -> str:
        key = next((one for one in keys if said.get(one)), "")
        if "{{" in said.get(key, ""):
            allowed = "a value: expressions are not evaluated here"
            raise SpecError(file, field=f"{name}.{key}", found="an expression", allowed=allowed)
        return said.get(key, "")

    options: list[str] = []
    for key in ("ansible_ssh_common_args", "ansible_ssh_extra_args"):
        try:
            options += shlex.split(one(key))
        except ValueError as error:
            allowed = "words of ssh's command line"
            raise SpecError(
                file, field=f"{name}.{key}", found=str(error), allowed=allowed
            ) from None
    key = one("ansible_ssh_private_key_file", "ansible_private_key_file")
    return Host(
        name=name,
        address=one("ansible_host", "ansible_ssh_host") or name,
        inner=one("ip", "access_ip"),
        user=one("ansible_user", "ansible_ssh_user"),
        port=number(one("ansible_port", "ansible_ssh_port")),
        groups=groups,
        ssh_options=(*options, *key_file(key)),
    )


def _rank(group: str, read: _Read) -> tuple[int, str]:
    """Variables of a group that is in another outrank those of that one."""
    return _depth(group, read, seen=frozenset()), group


def _depth(group: str, read: _Read, *, seen: frozenset[str]) -> int:
    around = [one for one, inner in read.children.items() if group in inner and one not in seen]
    return 1 + max((_depth(one, read, seen=seen | {group}) for one in around), default=0)


def _inside(group: str, read: _Read) -> set[str]:
    """Its hosts, and those of the groups in it; a circle is gone round once."""
    seen: set[str] = set()
    found: set[str] = set()
    waiting = [group]
    while waiting:
        one = waiting.pop()
        if one in seen:
            continue
        seen.add(one)
        found |= set(read.members.get(one, ()))
        waiting += read.children.get(one, ())
    return found


def _bad(found: str, allowed: str) -> SpecError:
    """Of a place that the caller knows."""
    return SpecError(None, field="", found=found, allowed=allowed)
