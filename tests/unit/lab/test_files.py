"""The files of nodes: read back by the parsers of their formats, on both kinds of host."""

from __future__ import annotations

import json
import tomllib
from typing import Any

import pytest
import yaml

from quorate.harness.lab import files
from quorate.harness.lab.plan import VIP_ADDRESS, LabPlan, NodePlan
from quorate.harness.lab.spec import HostFacts

KEYS = files.Keys("PRIVATE", "PUBLIC", "AUTHORIZED")


def _files(plan: LabPlan, node: NodePlan, facts: HostFacts) -> dict[str, files.File]:
    made = files.node_files(plan, node, facts, KEYS)
    by_path = {each.path: each for each in made}
    assert len(by_path) == len(made), "a file stands twice"
    return by_path


def _kubeadm(plan: LabPlan, node: NodePlan, facts: HostFacts) -> dict[str, Any]:
    return {
        document["kind"]: document
        for document in yaml.safe_load_all(files.kubeadm_config(plan, node, facts))
    }


def test_only_control_planes_have_a_front_door(plan: LabPlan, confined: HostFacts) -> None:
    control_plane = _files(plan, plan.control_planes[0], confined)
    worker = _files(plan, plan.workers[0], confined)
    for path in ("/etc/haproxy/haproxy.cfg", "/etc/keepalived/keepalived.conf"):
        assert path in control_plane
        assert path not in worker


def test_keepalived_knows_every_peer_but_itself(plan: LabPlan, confined: HostFacts) -> None:
    for node in plan.control_planes:
        text = _files(plan, node, confined)["/etc/keepalived/keepalived.conf"].content
        peers = text.split("unicast_peer {")[1].split("}")[0].split()
        assert sorted(peers) == sorted(each.address for each in plan.control_planes if each != node)
        assert f"priority {node.priority}" in text
        assert f"{VIP_ADDRESS}/32" in text


def test_haproxy_checks_readyz_of_every_api_server(plan: LabPlan, confined: HostFacts) -> None:
    text = _files(plan, plan.control_planes[1], confined)["/etc/haproxy/haproxy.cfg"].content
    for node in plan.control_planes:
        assert f"server {node.name} {node.address}:6443\n" in text
    assert "uri /readyz" in text
    assert "on-marked-down shutdown-sessions" in text
    assert "option redispatch" in text


def test_private_keys_are_private(plan: LabPlan, confined: HostFacts) -> None:
    made = _files(plan, plan.nodes[0], confined)
    assert made["/etc/ssh/ssh_host_ed25519_key"].mode == 0o600
    assert made["/root/.ssh/authorized_keys"].mode == 0o600


def test_what_tunes_the_hosts_kernel_or_clock_is_masked(plan: LabPlan, ordinary: HostFacts) -> None:
    made = _files(plan, plan.nodes[0], ordinary)
    for unit in ("systemd-sysctl", "systemd-timesyncd", "systemd-modules-load", "systemd-udevd"):
        assert made[f"/etc/systemd/system/{unit}.service"].link == "/dev/null"


def test_containerd_follows_the_host(
    plan: LabPlan, ordinary: HostFacts, confined: HostFacts
) -> None:
    def runtime(facts: HostFacts) -> Any:
        text = _files(plan, plan.nodes[0], facts)["/etc/containerd/config.toml"].content
        return tomllib.loads(text)["plugins"]["io.containerd.cri.v1.runtime"]

    on_ordinary, on_confined = runtime(ordinary), runtime(confined)
    options = on_ordinary["containerd"]["runtimes"]["runc"]["options"]
    assert options["SystemdCgroup"] is True
    assert on_ordinary["restrict_oom_score_adj"] is False
    assert on_confined["containerd"]["runtimes"]["runc"]["options"]["SystemdCgroup"] is False
    assert on_confined["restrict_oom_score_adj"] is True


def test_kubelet_is_reduced_only_where_the_host_asks_for_it(
    plan: LabPlan, ordinary: HostFacts, confined: HostFacts
) -> None:
    first = plan.control_planes[0]
    full = _kubeadm(plan, first, ordinary)["KubeletConfiguration"]
    assert "failCgroupV1" not in full
    assert "featureGates" not in full
    assert full["cgroupDriver"] == "systemd"
    reduced = _kubeadm(plan, first, confined)["KubeletConfiguration"]
    assert reduced["failCgroupV1"] is False
    assert reduced["featureGates"] == {"KubeletInUserNamespace": True}
    assert reduced["cgroupDriver"] == "cgroupfs"


def test_the_first_initialises_and_the_others_join(plan: LabPlan, confined: HostFacts) -> None:
    first, second = (_kubeadm(plan, node, confined) for node in plan.control_planes[:2])
    worker = _kubeadm(plan, plan.workers[0], confined)
    assert set(second) == set(worker) == {"JoinConfiguration"}
    token = first["InitConfiguration"]["bootstrapTokens"][0]["token"]
    for joining in (second, worker):
        discovery = joining["JoinConfiguration"]["discovery"]["bootstrapToken"]
        assert discovery["token"] == token
    key = first["InitConfiguration"]["certificateKey"]
    assert second["JoinConfiguration"]["controlPlane"]["certificateKey"] == key
    assert "controlPlane" not in worker["JoinConfiguration"]


def test_certificates_cover_the_vip_and_every_control_plane(
    plan: LabPlan, confined: HostFacts
) -> None:
    config = _kubeadm(plan, plan.control_planes[0], confined)["ClusterConfiguration"]
    sans = set(config["apiServer"]["certSANs"])
    assert sans == {VIP_ADDRESS, *(each.address for each in plan.control_planes)}


def test_pods_of_a_node_get_the_nodes_own_network(plan: LabPlan, confined: HostFacts) -> None:
    for node in plan.nodes:
        text = _files(plan, node, confined)["/etc/cni/net.d/10-pods.conflist"].content
        assert json.loads(text)["plugins"][0]["ipam"]["ranges"] == [[{"subnet": node.pod_cidr}]]


def test_a_template_with_a_missing_value_is_an_error() -> None:
    with pytest.raises(KeyError):
        files.render("keepalived.conf", name="cp1")
