"""Clusters in other shapes: etcd and load balancers on machines of their own, Nginx for HAProxy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.etcd import Endpoints, EtcdDriver
from quorate.harness.errors import CommandFailed, DriverError, RefusedError
from quorate.harness.faults.catalogue import ARRANGEMENTS, FAULTS, parameters_of
from quorate.harness.faults.contract import Plan
from quorate.harness.faults.node_power_off import NodePowerOff
from quorate.harness.lab.plan import LabPlan
from quorate.harness.model.cluster import Limits
from quorate.harness.model.experiment import Experiment
from quorate.harness.predict.facts import EtcdFacts
from quorate.harness.run.components import Key, expected_components
from quorate.harness.run.fingerprint import read_fingerprint
from quorate.harness.run.limits import Down, Placed, check_together, reach_of
from quorate.harness.run.new_experiment import new_experiment
from quorate.harness.run.plan import Planning, RunPlan
from quorate.harness.run.play import read_experiment, read_source
from quorate.harness.run.reading import read_cluster_facts
from quorate.harness.run.suite import read_suite
from quorate.harness.transport import Reply
from tests import paper_lab as paper
from tests.memory_api import healthy

EXPERIMENTS = Path(__file__).parents[3] / "experiments"
SHAPES = {
    "apart": paper.APART,
    "by_nginx": paper.BY_NGINX,
    "all": paper.plan(etcd="external", load_balancers=2, balancer="nginx"),
    "five": paper.plan(control_planes=5, workers=4),
}
each_shape = pytest.mark.parametrize("shape", SHAPES.values(), ids=list(SHAPES))


def drivers_of(shape: LabPlan, **nodes: Any) -> Drivers:
    return paper.drivers(healthy("cp1"), plan=shape, **nodes)


def placed(name: str, *nodes: str) -> Placed:
    defaults = {one.name: one.default for one in parameters_of(name) if one.default is not ...}
    return Placed(FAULTS[name], nodes, defaults)


def target_of(name: str) -> str:
    """A node that such a fault is made for, whatever the shape."""
    if name.startswith(("vip_", "vrrp_", "haproxy_kill", "haproxy_pause", "nginx_")):
        return "vip-holder"
    if name.startswith("etcd_"):
        return "etcd-leader"
    return "node:cp1"


def planned(experiment: Experiment, tmp_path: Path, *, drivers: Drivers) -> RunPlan:
    return Planning(experiment, drivers=drivers, seed=1).plan(tmp_path)


def experiment_with(name: str, tmp_path: Path) -> Experiment:
    file = tmp_path / "x.yaml"
    file.write_text(new_experiment(name, target=target_of(name)))
    read = read_experiment(read_source(file))
    return read.model_copy(update={"beyond_tolerance": True})


@each_shape
@pytest.mark.parametrize("name", sorted(FAULTS))
def test_every_fault_can_be_planned_where_its_component_is(
    name: str, shape: LabPlan, tmp_path: Path
) -> None:
    made = planned(experiment_with(name, tmp_path), tmp_path, drivers=drivers_of(shape))
    made_for, _, _ = name.partition("_")
    balancer = shape.spec.balancer
    if made_for in ("haproxy", "nginx") and made_for != balancer:
        assert len(made.refusals) == 1
        assert f"balances by {balancer}, not by {made_for}" in made.refusals[0]
        assert made.exit_code == 3
    else:
        assert made.refusals == ()
        assert made.faults[0].ways.undos


@pytest.mark.parametrize("name", [one for one in ARRANGEMENTS if one.startswith("haproxy_")])
def test_what_is_done_to_haproxy_is_not_arranged_for_nginx(name: str) -> None:
    defaults = {one.name: one.default for one in ARRANGEMENTS[name].parameters}
    with pytest.raises(RefusedError, match="balances by nginx"):
        ARRANGEMENTS[name].prepare(drivers_of(paper.BY_NGINX), arguments=defaults)


@each_shape
@pytest.mark.parametrize(
    "path",
    sorted(EXPERIMENTS.glob("*.yaml")),
    ids=[p.stem for p in sorted(EXPERIMENTS.glob("*.yaml"))],
)
def test_every_shipped_experiment_is_predicted_or_it_is_said_why_not(
    path: Path, shape: LabPlan, tmp_path: Path
) -> None:
    made = planned(read_experiment(read_source(path)), tmp_path, drivers=drivers_of(shape))
    for fault in made.faults:
        for one in fault.predictions:
            assert (one.low is None) == (one.high is None) == bool(one.reason), one
            assert "was not read" not in (one.reason or ""), one
            assert "that can be read" not in (one.reason or ""), one


@pytest.mark.parametrize("shape", ["by_nginx", "all"])
def test_what_the_suite_for_nginx_expects_is_what_is_predicted(shape: str, tmp_path: Path) -> None:
    """Its experiments are those whose cost to clients follows from the configuration."""
    suite = read_suite(EXPERIMENTS / "suites" / "nginx.yaml")
    for entry in suite.entries:
        experiment = read_experiment(read_source(entry.file))
        made = planned(experiment, tmp_path, drivers=drivers_of(SHAPES[shape]))
        assert made.refusals == ()
        (fault,) = made.faults
        told = [one for one in fault.predictions if one.of]
        assert told, entry.file.stem
        for one in told:
            (asked,) = [
                it
                for it in experiment.objectives
                if it.indicator == one.what and it.during == one.during
            ]
            assert one.high is not None, one.reason
            assert one.high <= asked.at_most


def test_whole_is_what_there_is() -> None:
    apart = expected_components(paper.cluster(paper.APART))
    assert {key.node for key in apart if key.component == "node"} == {
        *("cp1", "cp2", "cp3", "w1", "w2", "w3")
    }
    assert {key.node for key in apart if key.component == "etcd"} == {"e1", "e2", "e3"}
    assert {key.at for key in apart if key.component == "haproxy_backend"} == {"lb1", "lb2"}
    by_nginx = expected_components(paper.cluster(paper.BY_NGINX))
    for component in ("nginx", "api_through_nginx", "keepalived"):
        assert Key(component, "cp3") in by_nginx
    assert not [key for key in by_nginx if key.component.startswith("haproxy")]
    assert str(Key("api_through_nginx", "cp3")) == "API through Nginx cp3"


@each_shape
def test_all_files_are_read_where_they_are(shape: LabPlan) -> None:
    drivers = drivers_of(shape)
    facts = read_cluster_facts(drivers, nodes=["w1"]).facts
    assert facts.unread == {}
    assert set(facts.etcd) == {node.name for node in shape.members}
    assert set(facts.kubelets) == {"w1", *(node.name for node in shape.control_planes)}
    balancing = facts.nginx if shape.spec.balancer == "nginx" else facts.haproxy
    assert set(balancing) == set(facts.restarts_s) == {node.name for node in shape.balancers}
    assert not (facts.haproxy and facts.nginx)


def test_timers_of_a_member_on_its_own_machine_come_from_its_configuration() -> None:
    nodes = paper.transport(paper.APART)
    text = nodes.files["e2"][paper.ETCD_CONFIGURATION]
    slow = f"{text}heartbeat-interval: 250\nelection-timeout: 2500\n"
    nodes.files = {**nodes.files, "e2": {paper.ETCD_CONFIGURATION: slow}, "e3": {}}
    facts = read_cluster_facts(drivers_of(paper.APART, nodes=nodes), nodes=[]).facts
    assert facts.etcd == {"e1": EtcdFacts(0.1, 1.0), "e2": EtcdFacts(0.25, 2.5)}
    assert list(facts.unread.values()) == [
        "e3 has no /etc/kubernetes/manifests/etcd.yaml or /etc/etcd/etcd.conf.yml that can be read"
    ]


def test_a_member_says_in_its_configuration_where_it_is() -> None:
    nodes = paper.transport(paper.APART)
    etcd = EtcdDriver(nodes)
    assert etcd.endpoints("e2") == Endpoints("10.77.0.32")
    nodes.files = {**nodes.files, "e2": {paper.ETCD_CONFIGURATION: "name: e2\n"}, "e3": {}}
    with pytest.raises(DriverError, match=r"e2: /etc/etcd/etcd\.conf\.yml has no initial-adv"):
        etcd.endpoints("e2")
    with pytest.raises(CommandFailed):
        etcd.endpoints("e3")
    assert EtcdDriver(paper.transport()).endpoints("cp2") == Endpoints("10.77.0.12")


def test_the_fingerprint_holds_the_other_machines_configuration() -> None:
    apart = read_fingerprint(_with_versions(drivers_of(paper.APART)))
    assert apart.missing == ()
    said = apart.nodes["e1"]
    assert said["etcd data-dir"] == "/var/lib/etcd/member-data"
    assert "kubelet clusterDNS" not in said
    assert "haproxy backend apiservers timeout connect" not in apart.nodes["cp1"]
    assert any(what.startswith("haproxy backend apiservers") for what in apart.nodes["lb1"])
    by_nginx = read_fingerprint(_with_versions(drivers_of(paper.BY_NGINX)))
    assert by_nginx.nodes["cp1"]["nginx stream server proxy_connect_timeout"] == "500ms"
    assert by_nginx.nodes["cp1"]["etcd --name"] == "cp1"


def _with_versions(drivers: Drivers) -> Drivers:
    kube: Any = drivers.kube
    kube.node_versions = dict
    kube.server_version = lambda node: "v1.36.3"
    return drivers


def test_an_etcd_machine_is_no_control_plane_and_a_load_balancer_is_neither() -> None:
    wide = paper.cluster(paper.APART).model_copy(update={"limits": Limits(nodes_at_once=9)})
    strict = wide.model_copy(update={"limits": Limits(nodes_at_once=9, healthy_control_planes=3)})
    check_together([placed("node_power_off", "e1")], cluster=strict)
    check_together([placed("etcd_isolate", "e1")], cluster=strict)
    check_together([placed("node_power_off", "lb1", "lb2")], cluster=strict)
    with pytest.raises(RefusedError, match="e1, e2 down leaves 1 of 3 etcd members"):
        check_together([placed("node_power_off", "e1", "e2")], cluster=wide)
    check_together([placed("node_power_off", "cp1", "cp2")], cluster=wide)
    with pytest.raises(RefusedError, match="cp1 down leaves 2 of 3 API servers"):
        check_together([placed("node_power_off", "cp1")], cluster=strict)


def test_api_servers_go_with_the_last_leader_that_they_can_ask() -> None:
    apart = paper.cluster(paper.APART)
    one = reach_of([placed("etcd_kill", "e1")], cluster=apart)
    assert (one.members, one.servers) == (("e1",), ())
    two = reach_of([placed("etcd_kill", "e1")], cluster=apart, down=Down(members=["e2"]))
    assert two.servers == ("cp1", "cp2", "cp3")


def test_the_vip_is_looked_for_where_it_can_be() -> None:
    """lb1 has lost its power; lb2, which has no API server, holds the VIP now."""
    nodes = paper.transport(paper.APART)
    drivers = drivers_of(paper.APART, nodes=nodes)
    machine: Any = drivers.machine
    machine.is_unreachable = lambda node: node == "lb1"
    before = {"vip_holder": "lb1", "boot_id:lb1": paper.BOOT_ID}
    plan = Plan("node_power_off-1", ("lb1",), before=before, vip_holder="lb1")
    nodes.on("ip", reply=Reply("[]"))
    nodes.on("python3", reply=Reply("connected\n"))
    assert not NodePowerOff().proof(drivers, plan=plan).ok
    nodes.on("ip", reply=Reply('[{"addr_info": [{"local": "10.77.0.100"}]}]'), node="lb2")
    proof = NodePowerOff().proof(drivers, plan=plan)
    assert (proof.ok, proof.evidence) == (
        True,
        "ssh has no way to lb1, lb2 holds the VIP now",
    )


def test_a_unit_that_was_killed_is_looked_for_without_a_container_runtime() -> None:
    nodes = paper.transport(paper.APART)
    drivers = drivers_of(paper.APART, nodes=nodes)
    found = drivers.workloads.find("e2", "etcd")
    assert found is not None
    assert found.how == "unit"
    nodes.on(*paper.SHOW_UNIT, "etcd.service", reply=Reply(paper.UNIT_NOT_SHOWN), node="e2")
    assert drivers.workloads.find("e2", "etcd") is None
    with pytest.raises(RefusedError, match="lb1 runs no etcd"):
        drivers.workloads.demand("lb1", "etcd")
