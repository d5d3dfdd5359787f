from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from quorate.harness.model.cluster import Cluster, Power, Role


def described(**changes: Any) -> dict[str, Any]:
    return {
        "format": 1,
        "name": "lab",
        "kubeconfig": "kubeconfig",
        "virtual_ip": {"address": "10.77.0.100", "port": 8443},
        "nodes": [
            {"name": "cp1", "address": "10.77.0.11", "roles": ["control-plane", "etcd"]},
            {"name": "w1", "address": "10.77.0.21", "roles": ["worker"]},
        ],
    } | changes


def test_nodes_are_found_by_name_and_by_role() -> None:
    cluster = Cluster.model_validate(described())
    assert cluster.node("w1").address == "10.77.0.21"
    assert [node.name for node in cluster.with_role(Role.ETCD)] == ["cp1"]
    assert [node.name for node in cluster.workers] == ["w1"]
    with pytest.raises(KeyError):
        cluster.node("cp9")


@pytest.mark.parametrize(
    "changes",
    [
        {"format": 2},
        {"nodes": []},
        {"nodes": [{"name": "w1", "address": "10.0.0.1", "roles": ["worker"]}]},
        {"nodes": [{"name": "cp1", "address": "-oProxyCommand=x", "roles": ["control-plane"]}]},
        {"nodes": [{"name": "cp1", "address": "10.0.0.999", "roles": ["control-plane"]}]},
        {"nodes": [{"name": "harness", "address": "10.0.0.1", "roles": ["control-plane"]}]},
        {"nodes": [{"name": "cp1", "address": "10.0.0.1", "roles": ["boss"]}]},
        {
            "nodes": [
                {"name": "cp1", "address": "10.0.0.1", "roles": ["control-plane"]},
                {"name": "cp2", "address": "10.0.0.1", "roles": ["control-plane"]},
            ]
        },
        {"ssh": {"user": "root; rm"}},
        {"name": "../escape"},
        {"power": {"command": ["switch", "{action}"]}},
        {"colour": "red"},
    ],
)
def test_what_does_not_describe_a_cluster_is_refused(changes: dict[str, Any]) -> None:
    Cluster.model_validate(described())
    with pytest.raises(ValidationError):
        Cluster.model_validate(described(**changes))


def test_the_power_command_is_filled_in_word_by_word() -> None:
    power = Power(command=("switch", "--to={action}", "{node}", "$HOME; {x}"))
    assert power.argv("off", node="cp1") == ("switch", "--to=off", "cp1", "$HOME; {x}")


def test_each_run_draws_a_node_port_of_its_own_unless_one_is_declared(cluster: Cluster) -> None:
    drawn = [cluster.with_node_port(seed=seed).service.node_port for seed in range(20)]
    assert len(set(drawn)) > 15
    assert all(30000 <= port <= 32767 for port in drawn)
    assert drawn[0] == cluster.with_node_port(seed=0).service.node_port, "repeatable"
    declared = cluster.with_node_port(seed=1)
    assert declared.with_node_port(seed=2) is declared
