"""The network of a lab: nothing of the host takes part."""

from __future__ import annotations

from pathlib import Path

from quorate.harness.lab import network
from quorate.harness.lab.plan import SERVICE_CIDR, LabPlan


def test_a_cable_ends_in_the_machine_and_at_the_switch() -> None:
    made, plugged, _ = network.cable_commands("cp1", Path("/run/q/net/cp1"), "02:71:00:00:00:0b")
    assert made[made.index("netns") + 1] == "/run/q/net/cp1"
    assert made[made.index("peer") :][:3] == ["peer", "name", "eth0"]
    assert plugged == ["ip", "link", "set", "cp1", "master", network.BRIDGE]


def test_no_node_has_a_way_out_of_the_lab(plan: LabPlan) -> None:
    """No default route anywhere: what is not of the lab is unreachable."""
    for node in plan.nodes:
        commands = network.node_commands(plan, node)
        assert not any("default" in argv for argv in commands)
        routed = {argv[3] for argv in commands if argv[:3] == ["ip", "route", "add"]}
        pods = {each.pod_cidr for each in plan.nodes if each != node}
        assert routed == pods | {SERVICE_CIDR}


def test_words_of_commands_need_no_quoting(plan: LabPlan) -> None:
    """They are joined to one script for a shell."""
    commands = network.switch_commands()
    for node in plan.nodes:
        commands += network.node_commands(plan, node)
        commands += network.cable_commands(node.name, plan.namespace(node.name), node.mac)
    for word in (word for argv in commands for word in argv):
        assert not set(word) & set(" \t\n'\"\\$`;&|<>*?()#~"), word
