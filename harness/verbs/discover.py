"""`quorate discover`: a cluster.yaml out of a kubeconfig and a way by ssh."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from quorate.harness.cli import JSON

if TYPE_CHECKING:
    from quorate.harness.cluster.discovery.merge import Discovered, Given
    from quorate.harness.cluster.discovery.reading import Inventory
    from quorate.harness.model.cluster import Cluster

STDOUT = Path("-")


@click.command()
@click.option("--kubeconfig", type=click.Path(path_type=Path), required=True, metavar="FILE")
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path),
    default=Path("cluster.yaml"),
    show_default=True,
    metavar="FILE",
    help="Never over one that is there; - prints.",
)
@click.option("--force", is_flag=True, help="Over one that is there as well.")
@click.option("--ssh-user", help="Else ~/.ssh/config decides.")
@click.option("--ssh-port", type=int, help="Else ~/.ssh/config decides.")
@click.option(
    "--ssh-option",
    "ssh_options",
    multiple=True,
    metavar="WORD",
    help="A word of ssh's own command line, like -J or a jump host; repeatable.",
)
@click.option("--sudo", is_flag=True, help="The ssh user is not root: sudo on each machine.")
@click.option(
    "--inventory",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Ansible's, Kubespray's, RKE's or Terraform's: addresses, ways of ssh, other machines.",
)
@click.option(
    "--group",
    "groups",
    multiple=True,
    metavar="ROLE=GROUP",
    help="What a group of another name is for, in the inventory; repeatable.",
)
@click.option("--name", default="", help="Of the cluster; else kubeadm's.")
@click.option("--vip", metavar="ADDRESS:PORT", help="Where it is not found.")
@click.option(
    "--machine",
    "machines",
    multiple=True,
    metavar="NAME=ADDRESS",
    help="One that is no node of Kubernetes: a load balancer, an etcd member.",
)
@click.option(
    "--role",
    "roles",
    multiple=True,
    metavar="NODE=ROLE,ROLE",
    help="Where they are not found, or found wrong.",
)
@click.option("--power", metavar="COMMAND", help="With {action} (on, off) and {node}; no shell.")
@click.option("--ca", type=click.Path(path_type=Path), metavar="FILE", help="Of URLs under watch.")
@click.option(
    "--network-namespace",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="In which the cluster is reached (the lab).",
)
@JSON
def discover(
    output: Path, force: bool, inventory: Path | None, as_json: bool, **given: Any
) -> None:
    """Find out what a cluster is made of, and write it down. Reads, and changes nothing.

    Asked are the API, by the kubeconfig, and each machine, by the system's own ssh, so that keys,
    agents, jump hosts and ~/.ssh/config are yours. What is not found is named with the option that
    answers it, and nothing is written then.

    Exit codes: 0 written, 2 usage, 3 something is missing, or the API does not answer.

    \b
    Example:  quorate discover --kubeconfig admin.conf --ssh-user root
              quorate discover --kubeconfig admin.conf --inventory inventory/hosts.yaml
              quorate --ask-sudo-password discover --kubeconfig admin.conf --ssh-user ops --sudo
              quorate discover --kubeconfig admin.conf --machine lb1=192.0.2.51 -o staging.yaml
    """
    from quorate.harness.cluster.discovery.reading import discover as discovered
    from quorate.harness.cluster.file import write_cluster
    from quorate.harness.errors import UsageError

    if output != STDOUT and output.exists() and not force:
        raise UsageError(f"{output} is there already: another --output, or --force")
    asked = _given(given)
    found = discovered(asked, inventory=_inventory(inventory, given["groups"]))
    if found.cluster is not None and output != STDOUT:
        write_cluster(found.cluster, output)
    if as_json:
        click.echo(json.dumps(_for_machines(found), indent=2))
    else:
        click.echo(_for_people(found, output), err=output == STDOUT)
    if found.cluster is not None and output == STDOUT and not as_json:
        click.echo(_text(found.cluster), nl=False)
    sys.exit(0 if found.cluster is not None else 3)


def _given(given: Mapping[str, Any]) -> Given:
    from quorate.harness.cluster.discovery.from_api import split_endpoint
    from quorate.harness.cluster.discovery.merge import Given
    from quorate.harness.errors import UsageError
    from quorate.harness.model.cluster import Role

    ssh = {
        "user": given["ssh_user"],
        "port": given["ssh_port"],
        "options": given["ssh_options"],
        "sudo": given["sudo"],
    }
    pairs = _pairs(given["roles"], option="--role", form="NODE=ROLE,ROLE")
    roles = {name: tuple(text.split(",")) for name, text in pairs.items()}
    for role in (role for several in roles.values() for role in several):
        if role not in list(Role):
            raise UsageError(f"--role: {role} is none of {', '.join(Role)}")
    return Given(
        kubeconfig=given["kubeconfig"].absolute(),
        name=given["name"],
        virtual_ip=split_endpoint(given["vip"]) if given["vip"] else None,
        ssh={key: value for key, value in ssh.items() if value},
        power=tuple(shlex.split(given["power"] or "")),
        network_namespace=given["network_namespace"],
        ca=given["ca"],
        machines=_pairs(given["machines"], option="--machine", form="NAME=ADDRESS"),
        roles=roles,
    )


def _inventory(file: Path | None, groups: Sequence[str]) -> Inventory | None:
    from quorate.harness.cluster.discovery.reading import Inventory
    from quorate.harness.cluster.inventories import read_inventory
    from quorate.harness.errors import UsageError
    from quorate.harness.model.cluster import Role

    named = {}
    for word in groups:
        role, _, group = word.partition("=")
        if role not in list(Role) or not group:
            raise UsageError(f"--group {word}: ROLE=GROUP is meant, ROLE one of {', '.join(Role)}")
        named[group] = Role(role)
    return None if file is None else Inventory(file, read_inventory(file), named)


def _pairs(words: Sequence[str], *, option: str, form: str) -> dict[str, str]:
    from quorate.harness.errors import UsageError

    for word in words:
        if not all(word.partition("=")):
            raise UsageError(f"{option} {word}: {form} is meant")
    return dict(word.split("=", 1) for word in words)


def _text(cluster: Cluster) -> str:
    from quorate.harness.cluster.file import cluster_text

    return cluster_text(cluster)


def _for_people(found: Discovered, output: Path) -> str:
    lines = [*found.found, *(f"note: {one}" for one in found.notes)]
    if found.missing:
        lines += ["", "Not found, so nothing was written:", *(f"  {one}" for one in found.missing)]
    elif output != STDOUT:
        lines += ["", f"{output}: written; look at it, then: quorate audit --cluster {output}"]
    return "\n".join(lines)


def _for_machines(found: Discovered) -> dict[str, object]:
    cluster = found.cluster
    return {
        "cluster": cluster.model_dump(mode="json", exclude_none=True) if cluster else None,
        "found": found.found,
        "missing": found.missing,
        "notes": found.notes,
    }
