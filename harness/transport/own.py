"""Our own commands on the harness, in words that hold on every machine.

A journal is settled by whoever has the run directory: perhaps another Python on another machine,
with a kubeconfig of its own. So what is journalled says *what*, and each machine puts in its own
interpreter and the paths of the cluster.yaml that it goes by.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from quorate.harness.errors import RefusedError
from quorate.harness.model.cluster import Cluster
from quorate.harness.model.own_commands import KUBE, POWER

KUBE_PROGRAM = "quorate.harness.drivers.kube_command"


def spelled(argv: Sequence[str], *, cluster: Cluster) -> tuple[str, ...]:
    """What is to be run here; a command that is none of ours is run as it is.

    RefusedError where the power switch is meant and there is none.
    """
    if argv[0] == POWER:
        if cluster.power is None:
            raise RefusedError("this cluster.yaml names no power switch (power: {command: […]})")
        return cluster.power.argv("on" if argv[1] == "on" else "off", node=argv[2])
    if argv[0] != KUBE:
        return tuple(argv)
    servers = [f"--server={node.name}={node.address}" for node in cluster.control_planes]
    kubeconfig = f"--kubeconfig={Path(cluster.kubeconfig).absolute()}"
    return (sys.executable, "-m", KUBE_PROGRAM, kubeconfig, *servers, *argv[1:])
