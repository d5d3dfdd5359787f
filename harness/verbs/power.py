"""`quorate power`: switches that cluster.yaml's power command can be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import click

if TYPE_CHECKING:
    from quorate.harness.drivers.switches.switch import Action, Switch

CommandT = TypeVar("CommandT", bound=Callable[..., None])


@click.group()
def power() -> None:
    """Switch a machine's power by its BMC or its hypervisor, as cluster.yaml's power command does.

    `off` cuts it, without asking the system, and returns when it is off; `on` does nothing to a
    machine that is on. `status` and --dry-run change nothing. docs/power.md has maps.

    \b
    In cluster.yaml:
      power: {command: [quorate, power, virsh, "{action}", "{node}", --map, /etc/power.yaml]}
    """


def _arguments(command: CommandT) -> CommandT:
    for decorate in (
        click.option("--timeout", type=click.FloatRange(min=1), default=40.0, show_default=True,
                     metavar="S", help="Until it is so; a run gives a switch 60 s in all."),
        click.option("--dry-run", is_flag=True, help="Look, and say what would be done."),
        click.option("--map", "file", type=click.Path(path_type=Path), required=True,
                     metavar="FILE", help="Which switch is whose."),
        click.argument("node"),
        click.argument("action", type=click.Choice(["on", "off", "status"])),
    ):  # fmt: skip
        command = decorate(command)
    return command


@power.command()
@_arguments
def ipmitool(node: str, file: Path, **given: Any) -> None:
    """By IPMI 2.0, with the program ipmitool.

    \b
    Example:  quorate power ipmitool status cp1 --map power.yaml
    """
    from quorate.harness.drivers.switches.ipmitool import IpmitoolSwitch
    from quorate.harness.model.power_map import IpmiMachine
    from quorate.harness.store.power_map_file import read_machine, read_password

    machine = read_machine(file, node, model=IpmiMachine)
    _act(node, IpmitoolSwitch(node, machine, password=read_password(machine.password)), **given)


@power.command()
@_arguments
def redfish(node: str, file: Path, **given: Any) -> None:
    """By Redfish, over HTTPS; the BMC's certificate is checked.

    \b
    Example:  quorate power redfish off cp1 --map power.yaml --dry-run
    """
    from quorate.harness.drivers.switches.redfish import RedfishSwitch
    from quorate.harness.model.power_map import RedfishMachine
    from quorate.harness.store.power_map_file import read_machine, read_password

    machine = read_machine(file, node, model=RedfishMachine)
    _act(node, RedfishSwitch(node, machine, password=read_password(machine.password)), **given)


@power.command()
@_arguments
def virsh(node: str, file: Path, **given: Any) -> None:
    """A virtual machine of libvirt, with the program virsh.

    \b
    Example:  quorate power virsh on cp1 --map power.yaml
    """
    from quorate.harness.drivers.switches.virsh import VirshSwitch
    from quorate.harness.model.power_map import VirshMachine
    from quorate.harness.store.power_map_file import read_machine

    _act(node, VirshSwitch(node, read_machine(file, node, model=VirshMachine)), **given)


def _act(
    node: str, switch: Switch, *, action: Action | Literal["status"], dry_run: bool, timeout: float
) -> None:
    from quorate.harness.drivers.clock import MonotonicClock
    from quorate.harness.drivers.switches.switch import turn

    if action == "status":
        click.echo(f"{node}: {switch.power().word}")
    elif dry_run:
        found = switch.power()
        would = "nothing" if found.state == action else switch.step(action).text
        click.echo(f"{node}: {found.word}\n{action} would do: {would}")
    else:
        acted = turn(node, switch, action, clock=MonotonicClock(), timeout_s=timeout)
        click.echo(f"{node}: {action}" if acted else f"{node}: {action} already")
