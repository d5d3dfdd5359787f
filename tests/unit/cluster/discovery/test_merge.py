"""One cluster out of what API and machines say; what is missing has an option that answers it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from quorate.harness.cluster.discovery.from_api import ApiFacts, KubeNode
from quorate.harness.cluster.discovery.from_nodes import Machine
from quorate.harness.cluster.discovery.merge import Discovered, Given, merge
from quorate.harness.errors import RefusedError
from quorate.harness.model.cluster import HAProxy
from quorate.harness.predict.facts import KeepalivedFacts, VrrpInstance

VIP = "192.0.2.100"
GIVEN = Given(Path("/k/admin.conf"), ssh={"user": "root"})


def kube(name: str, address: str, *, plane: bool = False) -> KubeNode:
    return KubeNode(name, address, plane, not plane, "containerd://2", "v1.36.3")


PLANES = tuple(kube(f"cp{n}", f"192.0.2.{n}", plane=True) for n in (1, 2, 3))
API = ApiFacts((*PLANES, kube("w1", "192.0.2.21")), "prod", (VIP, 8443), "iptables", ("cilium",))
VRRP = KeepalivedFacts((VrrpInstance("api", virtual_addresses=(f"{VIP}/24",)),))


def plane(name: str, **change: Any) -> Machine:
    whole = Machine(name, VRRP, HAProxy(monitor_port=9000), "haproxy", etcd=True)
    return replace(whole, **change)


def machines(**change: Machine) -> dict[str, Machine]:
    found = {one.name: plane(one.name) for one in PLANES} | {"w1": Machine("w1")}
    found["cp2"] = replace(found["cp2"], addresses=frozenset({VIP}))
    return found | change


def merged(
    *,
    api: ApiFacts = API,
    found: Mapping[str, Machine] | None = None,
    unread: Mapping[str, str] | None = None,
    given: Given = GIVEN,
) -> Discovered:
    return merge(api, machines() if found is None else found, unread=unread or {}, given=given)


def test_a_stacked_cluster() -> None:
    done = merged()
    assert done.missing == ()
    assert done.cluster is not None
    assert [node.name for node in done.cluster.nodes] == ["cp1", "cp2", "cp3", "w1"]
    assert done.cluster.nodes[0].roles == ("control-plane", "etcd", "load-balancer")
    assert done.cluster.nodes[3].roles == ("worker",)
    assert (done.cluster.virtual_ip.address, done.cluster.virtual_ip.port) == (VIP, 8443)
    assert (done.cluster.name, done.cluster.haproxy.monitor_port) == ("prod", 9000)
    assert any("held by cp2" in line for line in done.found)


def test_a_worker_that_does_not_answer_is_noted_and_a_control_plane_is_asked_for() -> None:
    less = {name: one for name, one in machines().items() if name != "w1"}
    done = merged(found=less, unread={"w1": "no way"})
    assert done.cluster is not None
    assert "w1 could not be asked: no way" in done.notes
    less = {name: one for name, one in machines().items() if name != "cp3"}
    done = merged(found=less, unread={"cp3": "no way"})
    assert done.cluster is None
    assert any("--role cp3=control-plane,etcd,load-balancer" in one for one in done.missing)
    roles = {"cp3": ("control-plane", "etcd", "load-balancer")}
    given = replace(GIVEN, roles=roles)
    done = merged(found=less, unread={"cp3": "no way"}, given=given)
    assert done.cluster is not None
    assert done.cluster.node("cp3").roles == roles["cp3"]


def bare(**change: Any) -> dict[str, Machine]:
    """Machines without keepalived."""
    return {name: replace(one, keepalived=None, **change) for name, one in machines().items()}


def test_a_cloud_s_load_balancer_is_asked_for() -> None:
    api = replace(API, endpoint=("api.cloud.example", 443))
    done = merged(api=api, found=bare())
    assert done.cluster is None
    (missing,) = done.missing
    assert "api.cloud.example:443" in missing
    assert "--vip ADDRESS:443" in missing
    done = merged(api=api, found=bare(), given=replace(GIVEN, virtual_ip=("203.0.113.9", 443)))
    assert done.cluster is not None
    assert done.cluster.may_hold_vip == done.cluster.control_planes
    assert any("no load balancer was found" in note for note in done.notes)


def test_no_endpoint_at_all() -> None:
    done = merged(api=replace(API, endpoint=("", 0)), found=bare())
    assert any("no controlPlaneEndpoint" in one for one in done.missing)


def test_an_endpoint_by_name_is_what_keepalived_holds() -> None:
    done = merged(api=replace(API, endpoint=("api.example", 8443)))
    assert done.cluster is not None
    assert done.cluster.virtual_ip.address == VIP


def test_external_etcd_and_balancers_are_machines_of_their_own() -> None:
    found = {
        name: replace(one, etcd=False, keepalived=None, balancer="", haproxy=None)
        for name, one in machines().items()
    }
    found["cp1"] = replace(found["cp1"], etcd_servers=("192.0.2.31",))
    done = merged(found=found)
    assert any("--machine NAME=192.0.2.31" in one for one in done.missing)
    own = {"e1": "192.0.2.31", "lb1": "192.0.2.51"}
    found |= {
        "e1": Machine("e1", etcd=True, addresses=frozenset({"192.0.2.31"})),
        "lb1": plane("lb1", etcd=False),
    }
    done = merged(found=found, given=replace(GIVEN, machines=own))
    assert done.missing == ()
    assert done.cluster is not None
    names = [node.name for node in done.cluster.nodes]
    assert names == ["cp1", "cp2", "cp3", "w1", "e1", "lb1"]
    assert done.cluster.node("e1").roles == ("etcd",)
    assert done.cluster.node("lb1").roles == ("load-balancer",)
    assert any("etcd external on e1" in line for line in done.found)


def test_a_machine_that_is_for_nothing_is_asked_about() -> None:
    given = replace(GIVEN, machines={"x1": "192.0.2.77"})
    done = merged(found={**machines(), "x1": Machine("x1")}, given=given)
    assert any("what x1 is for: --role x1=etcd" in one for one in done.missing)


def test_balancers_on_workers_are_their_own_business() -> None:
    """Kubespray's nginx on each worker, without keepalived."""
    done = merged(found=machines(w1=Machine("w1", balancer="nginx")))
    assert done.cluster is not None
    assert done.cluster.node("w1").roles == ("worker",)


@pytest.mark.parametrize(
    ("api", "found", "said"),
    [
        (replace(API, nodes=API.nodes[:1]), None, "cp1 is the only control plane"),
        (replace(API, kube_vip=VIP), None, "the VIP is kube-vip's"),
        (
            API,
            machines(cp1=plane("cp1", addresses=frozenset({VIP}))),
            "two hold the virtual IP at once: cp1, cp2",
        ),
    ],
)
def test_what_is_told_besides(api: ApiFacts, found: dict[str, Machine] | None, said: str) -> None:
    assert any(said in note for note in merged(api=api, found=found).notes)


def test_a_role_of_nobody_is_told() -> None:
    done = merged(given=replace(GIVEN, roles={"cp9": ("etcd",)}))
    assert done.cluster is None
    assert "called cp9, as --role has it: there are cp1, cp2, cp3, w1" in done.missing[0]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (Given(Path("/k"), ssh={"user": "a b"}), r"ssh\.user: 'a b': "),
        (Given(Path("/k"), name="No Name"), "name: 'No Name': "),
        (Given(Path("/k"), virtual_ip=("lb", 6443)), r"virtual_ip\.address: 'lb': .*--vip"),
    ],
)
def test_what_no_cluster_yaml_can_hold_is_refused_field_by_field(given: Given, said: str) -> None:
    with pytest.raises(RefusedError, match=said):
        merged(given=given)
