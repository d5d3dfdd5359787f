"""Kubespray: an Ansible inventory in which a host or a group called ``bastion`` is the way in.

Source: docs/ansible/inventory.md in https://github.com/kubernetes-sigs/kubespray .
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from quorate.harness.cluster.inventories.host import Host, jump

BASTION = "bastion"


def through_bastion(hosts: Sequence[Host]) -> tuple[Host, ...]:
    """The others are reached through it, unless they say a way of their own."""
    bastion = next((one for one in hosts if BASTION in (one.name, *one.groups)), None)
    if bastion is None:
        return tuple(hosts)
    port = "" if bastion.port is None else str(bastion.port)
    way = jump(bastion.address, user=bastion.user, port=port)
    return tuple(
        host
        if host is bastion or _has_way(host)
        else replace(host, ssh_options=(*host.ssh_options, *way))
        for host in hosts
    )


def _has_way(host: Host) -> bool:
    return any(
        word.startswith("-J") or "proxyjump" in word.lower() or "proxycommand" in word.lower()
        for word in host.ssh_options
    )
