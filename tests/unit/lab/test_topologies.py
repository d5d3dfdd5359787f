"""Labs in other shapes: etcd, load balancers and Nginx where they are asked for, nowhere else."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID

from quorate.harness.errors import RefusedError, UsageError
from quorate.harness.lab import (
    etcd_pki,
    files,
    host,
    kubernetes,
    life,
    network,
    output,
    rootfs,
    shell,
    state,
)
from quorate.harness.lab.plan import VIP_ADDRESS, LabPlan, NodePlan
from quorate.harness.lab.spec import HostFacts, LabSpec
from quorate.harness.model.cluster import Cluster, Role
from quorate.harness.predict.nginx_conf import parse_nginx

KEYS = files.Keys("PRIVATE", "PUBLIC", "AUTHORIZED")
HAPROXY, NGINX = "/etc/haproxy/haproxy.cfg", "/etc/nginx/nginx.conf"
KEEPALIVED, ETCD = "/etc/keepalived/keepalived.conf", "/etc/etcd/etcd.conf.yml"
CONTAINERD = "/etc/containerd/config.toml"
WANTS = "/etc/systemd/system/multi-user.target.wants"


def plan_of(**shape: Any) -> LabPlan:
    return LabPlan(LabSpec(**shape), Path("/state"), Path("/run"), "seed")


def by_path(plan: LabPlan, node: NodePlan, facts: HostFacts) -> dict[str, files.File]:
    made = files.node_files(plan, node, facts, KEYS)
    found = {each.path: each for each in made}
    assert len(found) == len(made), "a file stands twice"
    return found


@pytest.mark.parametrize(
    ("etcd", "load_balancers", "balancer", "control_planes"),
    list(itertools.product(("stacked", "external"), (0, 2), ("haproxy", "nginx"), (1, 3, 5))),
)
def test_every_shape_is_a_cluster(
    etcd: str, load_balancers: int, balancer: str, control_planes: int
) -> None:
    plan = plan_of(
        etcd=etcd, load_balancers=load_balancers, balancer=balancer, control_planes=control_planes
    )
    for values in (
        [each.name for each in plan.nodes],
        [each.address for each in plan.nodes] + [VIP_ADDRESS],
        [each.mac for each in plan.nodes],
        [each.pod_cidr for each in plan.nodes],
    ):
        assert len(set(values)) == len(values)
    cluster = Cluster.model_validate(output.cluster(plan))
    assert cluster.balancer == balancer
    assert [node.name for node in cluster.with_role(Role.ETCD)] == [
        each.name for each in plan.members
    ]
    assert len(plan.members) == (3 if etcd == "external" else control_planes)
    assert len(plan.balancers) == (load_balancers or control_planes)
    assert [node.has_kubelet for node in cluster.nodes] == [each.has_kubelet for each in plan.nodes]
    priorities = [each.priority for each in plan.balancers]
    assert len(set(priorities)) == len(priorities)
    assert all(each.priority == 0 for each in plan.nodes if not each.balances)


def test_control_planes_and_workers_are_where_they_always_are() -> None:
    ordinary, apart = plan_of(), plan_of(etcd="external", load_balancers=2)
    for one, other in zip(ordinary.nodes, apart.nodes, strict=False):
        assert (one.name, one.address, one.index) == (other.name, other.address, other.index)
    assert [each.name for each in apart.nodes][6:] == ["e1", "e2", "e3", "lb1", "lb2"]
    assert [each.address for each in apart.nodes][6::3] == ["10.77.0.31", "10.77.0.41"]
    five = plan_of(control_planes=5, workers=9)
    assert [each.address for each in five.nodes][::5] == [
        *("10.77.0.11", "10.77.0.21", "10.77.0.26"),
    ]


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ({"etcd": "outside"}, "--etcd outside: allowed are stacked and external"),
        ({"load_balancers": 1}, "--load-balancers 1"),
        ({"balancer": "traefik"}, "--balancer traefik: allowed are haproxy and nginx"),
    ],
)
def test_other_shapes_are_refused(shape: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        LabSpec(**shape)


def test_a_machine_has_what_its_roles_need_and_nothing_else(confined: HostFacts) -> None:
    plan = plan_of(etcd="external", load_balancers=2)
    watched = {HAPROXY, NGINX, KEEPALIVED, ETCD, CONTAINERD}
    for name, expected in {
        "cp1": {CONTAINERD},
        "w1": {CONTAINERD},
        "e1": {ETCD},
        "lb1": {HAPROXY, KEEPALIVED},
    }.items():
        node = plan.node(name)
        assert node is not None
        assert watched & set(by_path(plan, node, confined)) == expected, name
    snapshots = "/etc/systemd/system/etcd-snapshot.timer"
    for name in ("cp1", "e1"):
        node = plan.node(name)
        assert node is not None
        assert (snapshots in by_path(plan, node, confined)) == (name == "e1")


def test_load_balancers_of_their_own_know_one_another(confined: HostFacts) -> None:
    plan = plan_of(load_balancers=2)
    first, second = plan.balancers
    made = by_path(plan, first, confined)
    text = made[KEEPALIVED].content
    assert text.split("unicast_peer {")[1].split("}")[0].split() == [second.address]
    for node in plan.control_planes:
        assert f"server {node.name} {node.address}:6443" in made[HAPROXY].content
    assert made[f"{WANTS}/haproxy.service"].link == "/lib/systemd/system/haproxy.service"


def test_nginx_sends_to_every_api_server_and_is_started_again(confined: HostFacts) -> None:
    plan = plan_of(balancer="nginx")
    made = by_path(plan, plan.control_planes[0], confined)
    proxy = parse_nginx(made[NGINX].content).behind(8443)
    assert proxy is not None
    assert [one.address for one in proxy.servers] == [one.address for one in plan.control_planes]
    assert proxy.next_upstream
    assert proxy.connect_timeout_s < 1.0, "the deadline of most probes"
    assert proxy.timeout_s > 45.0, "idle watches"
    assert "Restart=always" in made["/etc/systemd/system/nginx.service.d/restart.conf"].content
    assert f"{WANTS}/nginx.service" in made
    assert f"{WANTS}/haproxy.service" not in made
    assert HAPROXY not in made
    script = made[KEEPALIVED].content
    assert "vrrp_script nginx {" in script
    assert "http://127.0.0.1:8404/up" in script


def test_kubeadm_is_told_of_an_external_etcd(confined: HostFacts) -> None:
    plan = plan_of(etcd="external")
    documents = yaml.safe_load_all(files.kubeadm_config(plan, plan.control_planes[0], confined))
    etcd = {one["kind"]: one for one in documents}["ClusterConfiguration"]["etcd"]
    assert set(etcd) == {"external"}
    assert etcd["external"]["endpoints"] == [f"https://{one.address}:2379" for one in plan.members]
    there = {one.path for one in etcd_pki.make(plan)["cp3"]}
    assert {etcd["external"][key] for key in ("caFile", "certFile", "keyFile")} == there
    ordinary = plan_of()
    documents = yaml.safe_load_all(
        files.kubeadm_config(ordinary, ordinary.control_planes[0], confined)
    )
    etcd = {one["kind"]: one for one in documents}["ClusterConfiguration"]["etcd"]
    assert set(etcd) == {"local"}


def test_members_name_all_members(confined: HostFacts) -> None:
    plan = plan_of(etcd="external")
    for node in plan.members:
        said = yaml.safe_load(by_path(plan, node, confined)[ETCD].content)
        assert said["name"] == node.name
        assert said["initial-cluster"].split(",") == [
            f"{one.name}=https://{one.address}:2380" for one in plan.members
        ]
        assert said["listen-metrics-urls"] == "http://127.0.0.1:2381"
        wanted = set(said["client-transport-security"].values())
        wanted |= set(said["peer-transport-security"].values())
        there = {one.path for one in etcd_pki.make(plan)[node.name]}
        assert {one for one in wanted if isinstance(one, str)} <= there


def test_certificates_are_of_one_authority_and_for_their_machine() -> None:
    plan = plan_of(etcd="external")
    made, others = etcd_pki.make(plan), etcd_pki.make(plan)
    stranger = _certificate(others, "e1", "etcd/ca.crt")
    for node, path, hosts in (
        ("e1", "etcd/server", {"10.77.0.31", "127.0.0.1", "::1"}),
        ("e2", "etcd/peer", {"10.77.0.32", "127.0.0.1", "::1"}),
        ("e3", "etcd/healthcheck-client", set()),
        ("cp1", "apiserver-etcd-client", set()),
    ):
        authority = _certificate(made, node, "etcd/ca.crt")
        one = _certificate(made, node, f"{path}.crt")
        one.verify_directly_issued_by(authority)
        with pytest.raises(InvalidSignature):
            one.verify_directly_issued_by(stranger)
        key = load_pem_private_key(_file(made, node, f"{path}.key").content.encode(), None)
        assert key.public_key() == one.public_key()
        assert _file(made, node, f"{path}.key").mode == 0o600
        assert _addresses(one) == hosts
        uses = set(one.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
        assert ExtendedKeyUsageOID.CLIENT_AUTH in uses
        assert (ExtendedKeyUsageOID.SERVER_AUTH in uses) == bool(hosts)
    assert etcd_pki.make(plan_of()) == {}
    assert "w1" not in made


def _file(made: dict[str, list[files.File]], node: str, path: str) -> files.File:
    (found,) = [one for one in made[node] if one.path == f"/etc/kubernetes/pki/{path}"]
    return found


def _certificate(made: dict[str, list[files.File]], node: str, path: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(_file(made, node, path).content.encode())


def _addresses(one: x509.Certificate) -> set[str]:
    try:
        found = one.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return set()
    return {str(address) for address in found.get_values_for_type(x509.IPAddress)}


def test_machines_without_pods_are_no_routers() -> None:
    plan = plan_of(etcd="external", load_balancers=2)
    for node in plan.nodes:
        words = [" ".join(argv) for argv in network.node_commands(plan, node)]
        assert any("route add" in one for one in words) == node.has_kubelet, node.name
        assert any("ip_forward" in one for one in words) == node.has_kubelet
        assert not any("10.77.0.31" in one or "10.77.0.41" in one for one in words[4:])


def test_what_lies_under_a_machine_without_a_kubelet_has_no_container_runtime() -> None:
    assert not {"ctr", "crictl", "containerd"} & set(rootfs.BARE_PROGRAMS)
    assert {"etcd", "etcdctl"} <= set(rootfs.BARE_PROGRAMS)
    plan = plan_of(etcd="external")
    lab = state.Lab(plan, (Path("/a"),), Path("/s"), False, state.READY, (Path("/b"),))
    assert {node.name: lab.lower_of(node) for node in plan.nodes}["e2"] == (Path("/b"),)
    assert lab.lower_of(plan.control_planes[0]) == (Path("/a"),)


def test_more_machines_need_more_of_the_host() -> None:
    apart = LabSpec(etcd="external", load_balancers=2)
    assert (apart.kubernetes_machines, apart.bare_machines) == (6, 5)
    assert host.inotify_needed(apart) > host.inotify_needed(LabSpec())


@pytest.fixture
def saved(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> state.Lab:
    monkeypatch.setenv("QUORATE_STATE", str(tmp_path))
    plan = state.plan_for(LabSpec(etcd="external", balancer="nginx"), "seed")
    lab = state.Lab(plan, (Path("/a"),), Path("/s"), False, state.READY, (Path("/b"),))
    lab.save()
    return lab


def test_a_lab_on_disk_keeps_its_shape(saved: state.Lab) -> None:
    assert state.load("quorate") == saved


def test_a_lab_of_before_is_an_ordinary_one(saved: state.Lab) -> None:
    path = saved.plan.home / "lab.json"
    value = json.loads(path.read_text())
    del value["bare"]
    for key in ("etcd", "load_balancers", "balancer"):
        del value["spec"][key]
    path.write_text(json.dumps(value))
    found = state.load("quorate")
    assert (found.plan.spec, found.bare) == (LabSpec(), ())


def test_a_lab_of_another_shape_is_not_started_instead(
    saved: state.Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(life, "status", lambda lab: "stopped")
    progress = shell.Progress()
    said = "3 control planes and 3 workers, external etcd, Nginx; start it"
    with pytest.raises(RefusedError, match=said):
        life._existing(LabSpec(), progress)
    assert life._existing(saved.plan.spec, progress) == saved


@pytest.mark.parametrize("down", ["", "etcd"])
def test_whole_is_a_matter_of_the_other_machines_too(
    monkeypatch: pytest.MonkeyPatch, down: str
) -> None:
    plan = plan_of(etcd="external", load_balancers=2)
    asked = []

    def succeeds(argv: list[str], **more: object) -> bool:
        asked.append(argv[-1])
        return argv[-1] != down

    monkeypatch.setattr(shell, "succeeds", succeeds)
    lacking = kubernetes._idle(plan)
    assert asked == [*["etcd"] * 3, *["haproxy", "keepalived"] * 2]
    assert lacking == ([f"etcd on e{i}" for i in (1, 2, 3)] if down else [])
