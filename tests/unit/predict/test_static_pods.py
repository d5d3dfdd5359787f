"""Manifests as kubeadm writes them, kubelet's configuration, and pods as the API tells of them."""

from __future__ import annotations

from typing import Any

import pytest

from quorate.harness.drivers.service import container
from quorate.harness.errors import DriverError
from quorate.harness.predict.facts import (
    ApiserverFacts,
    ElectionFacts,
    EtcdFacts,
    KubeletFacts,
    LifecycleFacts,
)
from quorate.harness.predict.kubelet_conf import parse_kubelet
from quorate.harness.predict.pod_objects import parse_pod
from quorate.harness.predict.static_pods import (
    duration_s,
    parse_apiserver,
    parse_election,
    parse_etcd,
    parse_lifecycle,
)
from tests.paper_lab import APISERVER, CONTROLLER_MANAGER, ETCD, KUBELET_CONFIG, SCHEDULER


def with_flags(manifest: str, *flags: str) -> str:
    """The manifest with more flags at the end of its command."""
    more = "".join(f"    - {flag}\n" for flag in flags)
    return manifest.replace("    image:", f"{more}    image:", 1)


def test_apiserver() -> None:
    manifest = APISERVER.format(address="10.77.0.11", etcd_servers="https://127.0.0.1:2379")
    assert parse_apiserver(manifest) == ApiserverFacts(
        etcd_servers=("https://127.0.0.1:2379",), shutdown_delay_s=10.0, etcd_check_s=2.0
    )
    several = with_flags(
        manifest, "--etcd-servers=https://a:2379,https://b:2379", "--etcd-readycheck-timeout=1500ms"
    )
    facts = parse_apiserver(several)
    assert (len(facts.etcd_servers), facts.etcd_check_s) == (2, 1.5)


def test_etcd_timers_come_from_its_flags_or_defaults() -> None:
    manifest = ETCD.format(address="10.77.0.11", name="cp1")
    assert parse_etcd(manifest) == EtcdFacts(0.1, 1.0)
    tuned = with_flags(manifest, "--election-timeout=2500", '"--heartbeat-interval=500"')
    assert parse_etcd(tuned) == EtcdFacts(0.5, 2.5)


def test_etcd_s_own_configuration_says_the_same() -> None:
    assert parse_etcd("name: e1\nelection-timeout: 2500\n") == EtcdFacts(0.1, 2.5)
    bare = "spec:\n  containers:\n  - command: [etcd, --election-timeout=1500]\n"
    assert parse_etcd(bare).election_s == 1.5, "a manifest, though it says little"
    for text in ("", "x", "[a]", "election-timeout: soon", "spec: {}", "a: ["):
        with pytest.raises(DriverError, match=r"etcd\.yaml"):
            parse_etcd(text)
    with pytest.raises(DriverError):
        parse_election("leader-elect: true\n", name="s")


def test_elections() -> None:
    assert parse_election(SCHEDULER, name="s") == ElectionFacts(True, 2.0)
    quick = with_flags(
        CONTROLLER_MANAGER,
        "--leader-elect-retry-period",
        "1s",
    )
    assert parse_election(quick, name="k") == ElectionFacts(True, 1.0)
    assert not parse_election(with_flags(SCHEDULER, "--leader-elect=false"), name="s").elects


@pytest.mark.parametrize(
    ("manifest", "facts"),
    [
        (CONTROLLER_MANAGER, LifecycleFacts(50.0, 5.0)),
        (CONTROLLER_MANAGER.replace("v1.36.3", "v1.31.9"), LifecycleFacts(40.0, 5.0)),
        (CONTROLLER_MANAGER.replace(":v1.36.3", "@sha256:c0ffee"), LifecycleFacts(None, 5.0)),
        (
            with_flags(CONTROLLER_MANAGER, "--node-monitor-grace-period=1m10s"),
            LifecycleFacts(70.0, 5.0),
        ),
    ],
)
def test_when_nodes_are_given_up(manifest: str, facts: LifecycleFacts) -> None:
    assert parse_lifecycle(manifest) == facts


@pytest.mark.parametrize("text", ["spec: {containers: []}", "just text", "a: ["])
def test_what_is_no_manifest(text: str) -> None:
    with pytest.raises(DriverError, match=r"x\.yaml: no manifest of a pod"):
        parse_election(text, name="x.yaml")


def test_flags_that_cannot_be_read() -> None:
    soon = with_flags(SCHEDULER, "--leader-elect-retry-period=soon")
    with pytest.raises(DriverError, match=r"x\.yaml: --leader-elect-retry-period 'soon' is no dur"):
        parse_election(soon, name="x.yaml")
    soon = with_flags(ETCD.format(address="10.77.0.11", name="cp1"), "--election-timeout=soon")
    with pytest.raises(DriverError, match=r"x\.yaml: --election-timeout 'soon' is no number"):
        parse_etcd(soon, name="x.yaml")


@pytest.mark.parametrize(
    ("text", "seconds"), [("1m30s", 90.0), ("500ms", 0.5), ("0", 0.0), ("1.5h", 5400.0)]
)
def test_durations(text: str, seconds: float) -> None:
    assert duration_s(text, what="x") == pytest.approx(seconds)


def test_kubelet() -> None:
    assert parse_kubelet(KUBELET_CONFIG) == KubeletFacts(40.0, 300.0)
    assert parse_kubelet("nodeLeaseDurationSeconds: 20").beat_s == 5.0
    often = KUBELET_CONFIG.replace("nodeStatusUpdateFrequency: 0s", "nodeStatusUpdateFrequency: 4s")
    assert parse_kubelet(often).beat_s == 4.0
    with pytest.raises(DriverError, match="KubeletConfiguration"):
        parse_kubelet("[]")


def pod(**spec: Any) -> dict[str, Any]:
    meta = {"name": "web-1", "namespace": "shop"}
    return {"metadata": meta, "spec": {"nodeName": "w1", "containers": [], **spec}}


def read(one: dict[str, Any], **more: Any) -> Any:
    return parse_pod(one, ready=True, leaves=True, **more)


def test_the_service_s_own_pods() -> None:
    ours = container(image="x")
    facts = read(pod(containers=[ours], terminationGracePeriodSeconds=8))
    assert (facts.name, facts.node) == ("shop/web-1", "w1")
    assert (facts.pre_stop_s, facts.grace_s, facts.unreachable_s) == (5.0, 8.0, None)
    assert read(pod(containers=[container(image="x", pre_stop=False)])).pre_stop_s == 0.0


def test_what_a_pre_stop_does_may_not_be_known() -> None:
    sleeps = {"lifecycle": {"preStop": {"sleep": {"seconds": 7}}}}
    script = {"lifecycle": {"preStop": {"exec": {"command": ["sh", "-c", "drain"]}}}}
    assert read(pod(containers=[sleeps, {}])).pre_stop_s == 7.0
    assert read(pod(containers=[sleeps, script])).pre_stop_s is None


def test_tolerations_and_budgets() -> None:
    tolerations = [
        {"key": "node.kubernetes.io/not-ready", "tolerationSeconds": 10},
        {"key": "node.kubernetes.io/unreachable", "tolerationSeconds": 300},
    ]
    budget = {
        "metadata": {"name": "web", "namespace": "shop"},
        "status": {"disruptionsAllowed": 1},
    }
    facts = read(pod(tolerations=tolerations), budgets=[budget])
    assert (facts.unreachable_s, facts.budgets) == (300.0, (("shop/web", 1),))
    for damaged in ({}, {"spec": {}}, pod(terminationGracePeriodSeconds="soon")):
        with pytest.raises(DriverError, match="a pod cannot be read"):
            read(damaged)
