"""The private layer-2 network of a lab: a switch, a cable per machine, a client. Nothing else.

Network namespaces are files below the lab's run directory (bind mounts of nsfs), not names in
/run/netns: ``ip netns`` would leave a mount of its own on the host. No interface of the host takes
part, so no packet of a lab can leave the machine.

``*_commands`` are pure: argv lists with the namespace they run in.
"""

from __future__ import annotations

from pathlib import Path

from quorate.harness.cluster.namespace import is_network_namespace
from quorate.harness.errors import LabError
from quorate.harness.lab import plan as names
from quorate.harness.lab import shell
from quorate.harness.lab.plan import LabPlan, NodePlan

SWITCH = "switch"
CLIENT = "client"
BRIDGE = "br0"


def switch_commands() -> list[list[str]]:
    """The commands, in the switch's namespace, that make the switch."""
    return [
        ["ip", "link", "set", "lo", "up"],
        ["ip", "link", "add", BRIDGE, "type", "bridge", "forward_delay", "0", "stp_state", "0"],
        ["ip", "link", "set", BRIDGE, "up"],
    ]


def cable_commands(name: str, namespace: Path, mac: str) -> list[list[str]]:
    """The commands, in the switch's namespace, that connect a machine: ``eth0`` there."""
    return [
        ["ip", "link", "add", name, "type", "veth",
         "peer", "name", "eth0", "address", mac, "netns", str(namespace)],
        ["ip", "link", "set", name, "master", BRIDGE],
        ["ip", "link", "set", name, "up"],
    ]  # fmt: skip


def machine_commands(address: str) -> list[list[str]]:
    """The commands, in a machine's namespace, that give it its address."""
    return [
        ["ip", "link", "set", "lo", "up"],
        ["ip", "address", "add", f"{address}/24", "dev", "eth0"],
        ["ip", "link", "set", "eth0", "up"],
    ]


def node_commands(plan: LabPlan, node: NodePlan) -> list[list[str]]:
    """As ``machine_commands``; where pods run, with forwarding and routes to services and to the
    others' pods."""
    if not node.has_kubelet:
        return machine_commands(node.address)
    routes = [
        ["ip", "route", "add", other.pod_cidr, "via", other.address]
        for other in plan.kubernetes_nodes
        if other.name != node.name
    ]
    # Without a route of their own, service addresses are refused before kube-proxy rewrites them.
    routes.append(["ip", "route", "add", names.SERVICE_CIDR, "dev", "eth0"])
    forwarding = [["sysctl", "-qw", "net.ipv4.ip_forward=1"]]
    return [*machine_commands(node.address), *forwarding, *routes]


def _inside(namespace: Path, commands: list[list[str]]) -> None:
    """Run all commands in a namespace with one process: a lab is some two hundred of them."""
    script = "\n".join(" ".join(argv) for argv in commands)  # words of the plan: nothing to quote
    shell.run(["nsenter", f"--net={namespace}", "sh", "-e"], stdin=script)


def make_namespace(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    shell.run(["unshare", f"--net={path}", "true"])


def remove_namespace(path: Path) -> None:
    """Remove a namespace and with it every interface inside; nothing happens if it is absent.

    Raises:
        LabError: the namespace's file is still mounted afterwards.
    """
    while is_network_namespace(path):
        if not shell.succeeds(["umount", str(path)]):
            raise LabError(f"cannot unmount {path}")
    path.unlink(missing_ok=True)


def make_switch(plan: LabPlan) -> None:
    make_namespace(plan.namespace(SWITCH))
    _inside(plan.namespace(SWITCH), switch_commands())


def make_client(plan: LabPlan) -> None:
    make_namespace(plan.namespace(CLIENT))
    cable = cable_commands(CLIENT, plan.namespace(CLIENT), "02:71:00:00:00:02")
    _inside(plan.namespace(SWITCH), cable)
    _inside(plan.namespace(CLIENT), machine_commands(names.CLIENT_ADDRESS))


def plug_in(plan: LabPlan, node: NodePlan) -> None:
    """A fresh namespace for a node, connected to the switch."""
    namespace = plan.namespace(node.name)
    remove_namespace(namespace)
    make_namespace(namespace)
    _inside(plan.namespace(SWITCH), cable_commands(node.name, namespace, node.mac))
    _inside(namespace, node_commands(plan, node))


def cut(plan: LabPlan, node: str) -> None:
    """Pull a node's cable at the switch's side; nothing that it sends from now on arrives."""
    switch = f"--net={plan.namespace(SWITCH)}"
    shell.run(["nsenter", switch, "ip", "link", "delete", node])


def is_connected(plan: LabPlan, node: str) -> bool:
    switch = f"--net={plan.namespace(SWITCH)}"
    return shell.succeeds(["nsenter", switch, "ip", "link", "show", node])
