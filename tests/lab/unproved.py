"""Every fault's proof while nothing at all is on: fault → what it was taken for, as JSON.

    unproved.py CLUSTER.YAML

A run whose acts are replaced by `true` comes to the same looks (controls/act_does_nothing.yaml
plays one); here each is asked several times, and all the others between. Nothing is changed.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from quorate.harness.cluster.file import read_cluster
from quorate.harness.cluster.namespace import enter_network_namespace
from quorate.harness.drivers.bundle import Drivers
from quorate.harness.errors import DriverError, TransportError
from quorate.harness.faults.catalogue import FAULTS, parameters_of
from quorate.harness.faults.contract import Plan, Proof
from quorate.harness.run.targets import LEASES, Facts, resolve, selector_of
from quorate.harness.transport import for_cluster
from tests.lab.hurried import ON_THIS_LAB, hurried, shipped

ROUNDS = 2


def facts_for(word: str, drivers: Drivers) -> Facts:
    """Who is what, asked once."""
    names = [node.name for node in drivers.cluster.control_planes]
    selector = selector_of(word)
    return Facts(
        drivers.keepalived.holders(names)[0],
        drivers.etcd.leader(names),
        {selector: drivers.kube.nodes_running(selector)} if selector else {},
        {word: drivers.leases.node(LEASES[word])} if word in LEASES else {},
    )


def question(name: str, drivers: Drivers) -> Callable[[], Proof]:
    """What asks for its proof, prepared as for its shipped experiment."""
    step: dict[str, Any] = hurried(shipped(name))["method"][0]["provider"]["arguments"]
    arguments = {one.name: one.default for one in parameters_of(name)} | step
    word = str(arguments["target"])
    nodes = resolve(word, cluster=drivers.cluster, facts=facts_for(word, drivers), seed=1)
    fault = FAULTS[name]
    before = fault.prepare(drivers, nodes=nodes, arguments=arguments)
    plan = Plan(f"{name}-1", nodes, arguments=arguments, before=before, mark="0-unproved")

    def ask() -> Proof:
        try:
            return fault.proof(drivers, plan=plan)
        except (DriverError, TransportError) as error:
            return Proof(False, str(error))

    return ask


def main() -> None:
    cluster = read_cluster(Path(sys.argv[1]))
    enter_network_namespace(cluster)
    drivers = Drivers.connect(cluster, transport=for_cluster(cluster))
    questions = {name: question(name, drivers) for name in ON_THIS_LAB}
    proofs: dict[str, Proof] = {}
    for _ in range(ROUNDS):
        for name, ask in questions.items():
            if name not in proofs or not proofs[name].ok:  # one that is ok stays
                proofs[name] = ask()
    found = {name: {"ok": proof.ok, "evidence": proof.evidence} for name, proof in proofs.items()}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
