"""``quorate lab …``: the verbs of the lab."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from quorate.harness.lab.shell import Progress

STEPS_AS_JSON = click.option(
    "--json", "as_json", is_flag=True, help="Print how long each step took, for machines."
)
NAME = click.option("--name", default="quorate", show_default=True, help="Which lab.")


@click.group()
def lab() -> None:
    """A real HA cluster in namespaces of this machine.

    The lab is root-equivalent on its host: use a disposable machine or a VM.

    \b
    Example:  quorate lab up && quorate run experiments/vip_drop_holder.yaml
    """


@lab.command()
@NAME
@click.option("--control-planes", default=3, show_default=True, help="1, 3 or 5.")
@click.option("--workers", default=3, show_default=True, help="1 to 9.")
@click.option(
    "--etcd",
    default="stacked",
    show_default=True,
    help="stacked: on the control planes; external: on three machines of its own.",
)
@click.option(
    "--load-balancers",
    default=0,
    show_default=True,
    help="0: the control planes hold the VIP; 2: two machines of their own do.",
)
@click.option("--balancer", default="haproxy", show_default=True, help="haproxy or nginx.")
@click.option("--fix-host", is_flag=True, help="Raise inotify limits while the lab runs.")
@STEPS_AS_JSON
def up(fix_host: bool, as_json: bool, **shape: Any) -> None:
    """Make a lab (or start a stopped one) and wait until its cluster is whole.

    \b
    Example:  quorate lab up --control-planes 3 --workers 3
              quorate lab up --etcd external --load-balancers 2 --balancer nginx
    """  # fmt: skip
    from quorate.harness.lab import life, shell
    from quorate.harness.lab.spec import LabSpec

    progress = shell.Progress()
    made = life.up(LabSpec(**shape), progress, fix_host=fix_host)
    _tell(made.plan.home, progress, as_json)


def _tell(home: Path, progress: Progress, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"cluster": f"{home}/cluster.yaml", "steps_s": progress.durations_s}))
    else:
        progress.say(f"whole; its description is {home}/cluster.yaml")


@lab.command()
@NAME
def down(name: str) -> None:
    """Remove a lab and everything it made.

    \b
    Example:  quorate lab down
    """
    from quorate.harness.lab import life, shell

    life.down(name, shell.Progress())


@lab.command()
@NAME
@STEPS_AS_JSON
def start(name: str, as_json: bool) -> None:
    """Boot a stopped lab and wait until its cluster is whole.

    \b
    Example:  quorate lab start
    """
    from quorate.harness.lab import life, shell

    progress = shell.Progress()
    _tell(life.start(name, progress).plan.home, progress, as_json)


@lab.command()
@NAME
def stop(name: str) -> None:
    """Cut the power of every machine; the lab stays on disk.

    \b
    Example:  quorate lab stop
    """
    from quorate.harness.lab import life, shell

    life.stop(name, shell.Progress())


@lab.command()
@click.option("--json", "as_json", is_flag=True, help="Print it for machines.")
def status(as_json: bool) -> None:
    """Every lab on disk and the state of its machines.

    \b
    Example:  quorate lab status
    """
    from quorate.harness.lab import life, state

    labs = {}
    for name in state.names():
        each = state.load(name)
        machines = life.machines(each)
        now = life.status_of(each, list(machines.values()))
        labs[name] = {"state": now, "home": str(each.plan.home), "nodes": machines}
        if not as_json:
            click.echo(f"{name}: {labs[name]['state']}  ({each.plan.home})")
            click.echo("  " + "  ".join(f"{which} {what}" for which, what in machines.items()))
    if as_json:
        click.echo(json.dumps(labs))
    elif not labs:
        click.echo("no lab on disk; quorate lab up makes one")


@lab.command(name="exec", context_settings={"ignore_unknown_options": True})
@NAME
@click.argument("node")
@click.argument("argv", nargs=-1, required=True, type=click.UNPROCESSED)
def exec_(name: str, node: str, argv: tuple[str, ...]) -> None:
    """Run a command on a machine by its console (not by its network).

    \b
    Example:  quorate lab exec cp1 -- systemctl status keepalived
    """
    from quorate.harness.lab import life, state
    from quorate.harness.lab import node as machines

    plan = state.load(name).plan
    life.find(plan, node)
    command = machines.console(plan, node, argv)
    if sys.stdin.isatty():
        command.insert(command.index("exec") + 1, "--tty")
    os.execvp(command[0], command)


@lab.command(context_settings={"ignore_unknown_options": True})
@NAME
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def kubectl(name: str, words: tuple[str, ...]) -> None:
    """Run kubectl as a client of the lab, through the VIP.

    \b
    Example:  quorate lab kubectl get nodes
    """
    from quorate.harness.lab import kubernetes, state

    command = kubernetes.kubectl_command(state.load(name).plan, *words)
    os.execvp(command[0], command)


@lab.command()
@NAME
@click.argument("action", type=click.Choice(["on", "off"]))
@click.argument("node")
def power(name: str, action: str, node: str) -> None:
    """The power switch of one machine; off is a power cut, not a shutdown.

    \b
    Example:  quorate lab power off cp1
    """
    from quorate.harness.lab import life

    life.power(name, action, node)
