"""sudoers lines: what they name is what is run on nodes, and they do not pretend to be less than
root."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

import pytest
from click.testing import CliRunner

from quorate.harness import cli
from quorate.harness.drivers.follower import follower_argv
from quorate.harness.drivers.systemd import timer_argv
from quorate.harness.errors import DriverError, RefusedError, UsageError
from quorate.harness.faults.catalogue import ARRANGEMENTS, FAULTS
from quorate.harness.faults.contract import Arrangement, Fault, Plan
from quorate.harness.model.cluster import HARNESS
from quorate.harness.model.own_commands import KUBE, POWER
from quorate.harness.model.rights import RIGHTS
from quorate.harness.run import asking
from quorate.harness.run.forecast import Forecast
from quorate.harness.run.lease import MARKED_ARGV
from quorate.harness.run.sudoers import COMMANDS, sudoers_text
from quorate.harness.sampling.shipping import program_argv
from quorate.harness.undo import sudo_password
from tests import paper_lab


def defaults(arrangement: Arrangement) -> dict[str, object]:
    return {one.name: one.default for one in arrangement.parameters}


def of_fault(fault: Fault) -> list[Sequence[str]]:
    """What one fault runs on a node of a lab that has what it breaks."""
    lab = paper_lab.plan_for(fault.name)
    nodes = paper_lab.transport(lab)
    drivers = paper_lab.drivers(nodes=nodes, plan=lab)
    arguments = {one.name: one.default for one in fault.parameters}
    before = fault.prepare(drivers, nodes=["cp1"], arguments=arguments)
    plan = Plan(f"{fault.name}-1", ("cp1",), arguments=arguments, before=before, mark="m")
    acts = [one.argv for one in fault.acts(drivers, plan=plan) if one.node != HARNESS]
    undos = [one for one in fault.undos(drivers, plan=plan) if one.node != HARNESS]
    back = [argv for one in undos for argv in (one.argv, one.confirm_argv) if argv]
    return [*acts, *back, *(call.argv for call in nodes.calls)]


def first_words() -> set[str]:
    """Of all that faults, arrangements, samplers and followers run on a node."""
    nodes = paper_lab.transport()
    drivers = paper_lab.drivers(nodes=nodes)
    argvs = [follower_argv(drivers.cluster, node=drivers.cluster.nodes[0]), MARKED_ARGV]
    argvs += [program_argv("feed"), timer_argv("u", ("true",), after_s=1.0), ("true",)]
    argvs += [argv for fault in FAULTS.values() for argv in of_fault(fault)]
    by_api = {name for right in RIGHTS for name in right.needed_by}
    for arrangement in (one for one in ARRANGEMENTS.values() if one.name not in by_api):
        with contextlib.suppress(
            RefusedError, DriverError
        ):  # by then it has asked the nodes what it needs
            before = arrangement.prepare(drivers, arguments=defaults(arrangement))
            plan = Plan(arrangement.name, (), before=before, mark="m", vip_holder="cp1")
            acts = arrangement.acts(drivers, plan=plan)
            argvs += [one.argv for one in acts if one.node != HARNESS]
    drivers.etcd.leader(["cp1"])
    Forecast.read(drivers, nodes=["cp1"])
    argvs += [call.argv for call in nodes.calls]
    return {argv[0] for argv in argvs} - {KUBE, POWER}


def test_the_commands_are_those_that_are_run() -> None:
    found = first_words()
    assert sorted(found | {"crictl"}) == sorted(COMMANDS), "the paper lab has ctr in its place"


def test_it_says_that_it_is_root_and_leads_to_one_line() -> None:
    text = sudoers_text("quorate")
    in_force = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert in_force == ["Defaults:quorate !requiretty", "quorate ALL=(root) NOPASSWD: ALL"]
    assert "Whoever may run this is root there" in text


@pytest.mark.parametrize("user", ["", "a b", "%wheel", "x\nALL ALL=(ALL) ALL", "ALL,x"])
def test_no_name_slips_a_line_in(user: str) -> None:
    with pytest.raises(UsageError):
        sudoers_text(user)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["rights"], "--probes"),
        (["rights", "--probes", "--sudoers", "ops"], "a file of its own"),
    ],
)
def test_what_is_asked_wrongly(words: list[str], says: str) -> None:
    said = CliRunner().invoke(cli.quorate, words)
    assert isinstance(said.exception, UsageError)
    assert says in str(said.exception)


def test_the_verb_prints_one_or_more() -> None:
    said = CliRunner().invoke(cli.quorate, ["rights", "--probes", "--faults"])
    assert said.output.count("kind: ClusterRole\n") == 4, "two roles and the bindings' references"
    said = CliRunner().invoke(cli.quorate, ["rights", "--sudoers", "ops"])
    assert said.output == sudoers_text("ops")


def test_a_password_is_asked_at_a_terminal_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sudo_password, "_kept", [])
    with pytest.raises(UsageError, match="QUORATE_SUDO_PASSWORD"):
        asking.ask_for_sudo()
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("getpass.getpass", lambda prompt: "typed")
    asking.ask_for_sudo()
    assert sudo_password.sudo_password() == "typed"
