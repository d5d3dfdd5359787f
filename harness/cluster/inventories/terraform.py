"""`terraform output -json` (and OpenTofu's): addresses, in lists, maps and objects.

Source: https://developer.hashicorp.com/terraform/cli/commands/output . A host is in the groups that
the path to it spells: the output's name, and the keys below it. An object with an address is a
machine; one whose addresses are lists is a table of machines, as KubeOne has it
(https://docs.kubermatic.com/kubeone). Outputs that are marked sensitive are passed over, and no
message repeats a value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from quorate.harness.cluster.discovery.from_api import is_address
from quorate.harness.cluster.inventories.host import Host, jump, key_file, number
from quorate.harness.errors import SpecError

OUTSIDE = (
    "ansible_host", "public_ip", "public_ip_address", "public_address", "external_ip",
    "floating_ip", "ipv4_address", "address", "ip", "ip_address", "access_ip_v4",
    "default_ip_address",
)  # fmt: skip
"""Keys with the address that ssh goes to, the first outranks the others: as AWS's, Azure's,
Hetzner's, OpenStack's and vSphere's machines have them, and KubeOne's hosts."""
INSIDE = (
    "private_ip", "private_ip_address", "private_address", "internal_ip", "internal_address",
    "ipv4_address_private",
)  # fmt: skip
"""Keys with the cluster's own address; where ssh goes too if there is none of the others."""
NAMES = ("name", "hostname", "hostnames")


def is_output(document: Mapping[str, Any]) -> bool:
    """Whether every member of it is an output."""
    return bool(document) and all(
        isinstance(one, dict) and {"value", "sensitive"} <= set(one) for one in document.values()
    )


def read(document: Mapping[str, Any], *, file: Path) -> tuple[Host, ...]:
    """The hosts in the order of the file, each address once. SpecError where there is no address;
    it lists the outputs that there are."""
    hosts: dict[str, Host] = {}
    for name, output in document.items():
        for host in _within(output["value"], path=(name,)) if not output["sensitive"] else ():
            known = hosts.get(host.address)
            hosts[host.address] = host if known is None else _both(known, host)
    if not hosts:
        raise SpecError(
            file,
            field="",
            found=f"no address in the outputs {', '.join(document)} (sensitive ones are not read)",
            allowed="outputs that are addresses, or lists, maps or objects of them",
        )
    return tuple(hosts.values())


def _within(value: Any, *, path: tuple[str, ...], name: str = "") -> Iterator[Host]:
    if isinstance(value, str):
        if is_address(value):
            yield Host(name or value, value, groups=tuple(sorted({*path})))
    elif isinstance(value, list):
        for one in value:
            yield from _within(one, path=path)
    elif isinstance(value, dict) and _addresses(value):
        yield _machine(value, path=path, name=name)
    elif isinstance(value, dict) and (rows := _rows(value)):
        for row in rows:
            yield _machine(row, path=(*path, name) if name else path, name="")
    elif isinstance(value, dict):
        inside = (*path, name) if name else path
        for key, one in value.items():
            below = (*inside, key) if isinstance(one, list) else inside
            yield from _within(one, path=below, name=key)


def _addresses(value: Mapping[str, Any]) -> list[str]:
    """Where ssh goes and, if it is another, the cluster's own."""
    found = []
    for keys in (OUTSIDE, INSIDE):
        said = (value.get(key) for key in keys)
        found += [next((one for one in said if isinstance(one, str) and is_address(one)), "")]
    return [one for one in found if one]


def _rows(value: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A table of machines, a column a key, as its rows; what is no list is the same in all."""
    columns = {key: value[key] for key in (*OUTSIDE, *INSIDE) if isinstance(value.get(key), list)}
    length = max((len(column) for column in columns.values()), default=0)
    rows = ({key: _cell(one, row) for key, one in value.items()} for row in range(length))
    return [row for row in rows if _addresses(row)]


def _cell(column: Any, row: int) -> Any:
    if not isinstance(column, list):
        return column
    return column[row] if row < len(column) else None


def _machine(value: Mapping[str, Any], *, path: Sequence[str], name: str) -> Host:
    def text(*keys: str) -> str:
        return next((str(value[key]) for key in keys if value.get(key)), "")

    addresses = _addresses(value)
    bastion = text("bastion")
    way = jump(bastion, user=text("bastion_user"), port=text("bastion_port")) if bastion else ()
    return Host(
        name=text(*NAMES) or name or addresses[0],
        address=addresses[0],
        inner=addresses[1] if len(addresses) > 1 else "",
        user=text("ssh_user", "ansible_user"),
        port=number(text("ssh_port", "ansible_port")),
        groups=tuple(sorted({*path})),
        ssh_options=(*way, *key_file(text("ssh_private_key_file"))),
    )


def _both(known: Host, again: Host) -> Host:
    """One machine that is in two outputs: it is in the groups of both."""
    named = known if known.name != known.address else again
    return replace(named, groups=tuple(sorted({*known.groups, *again.groups})))
