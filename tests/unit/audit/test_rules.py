"""The other rules: what each finds, and what it leaves alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from quorate.harness.audit import controllers
from quorate.harness.audit.auditing import audit
from quorate.harness.audit.facts import Terms
from quorate.harness.predict.facts import NginxFacts, NginxProxy, NginxServer
from quorate.harness.run.audit_objects import quantity
from quorate.harness.run.auditing import BACKUPS
from tests import paper_lab as paper
from tests.unit.audit.conftest import (
    APISERVER,
    NOW,
    VIP,
    Lab,
    budget,
    deployment,
    hook,
    member,
    pem,
    pod,
)

WEB = {"app": "web"}
BUDGETS = "/apis/policy/v1 poddisruptionbudgets"
DEPLOYMENTS = "/apis/apps/v1 deployments"
HOOKS = "/apis/admissionregistration.k8s.io/v1 validatingwebhookconfigurations"


def in_haproxy(old: str, new: str) -> Callable[[Lab], None]:
    return lambda lab: lab.replace(paper.HAPROXY, old, new, "cp1")


def in_keepalived(old: str, new: str, *nodes: str) -> Callable[[Lab], None]:
    return lambda lab: lab.replace(paper.KEEPALIVED, old, new, *nodes)


def node_changed(name: str, **status: Any) -> Callable[[Lab], None]:
    return lambda lab: lab.objects[f"/api/v1/nodes/{name}"]["status"].update(status)


def with_deployment(**more: Any) -> Callable[[Lab], None]:
    return lambda lab: lab.put(DEPLOYMENTS, deployment("web", labels=WEB, **more))


def asks_too_much(lab: Lab) -> None:
    for number in (1, 2, 3):
        big = pod(f"big-{number}", node=f"w{number}", labels={"app": "big"})
        big["spec"]["containers"][0]["resources"]["requests"] = {"memory": "2800Mi"}
        lab.put("/api/v1 pods", big)


def stays_for_ever(lab: Lab) -> None:
    for number in (1, 2):
        one = lab.objects[f"/api/v1/namespaces/shop/pods/web-{number}"]
        one["spec"]["tolerations"] = [{"operator": "Exists"}]


def without_taint(lab: Lab) -> None:
    lab.objects["/api/v1/nodes/cp3"]["spec"] = {}


def dns_on_one_node(lab: Lab) -> None:
    lab.objects["/api/v1/namespaces/kube-system/pods/coredns-w2"]["spec"]["nodeName"] = "w1"


def other_names(lab: Lab) -> None:
    late = NOW + timedelta(days=300)
    path = "/etc/kubernetes/pki/apiserver.crt"
    lab.public["cp1"][path] = pem("kube-apiserver", late, ("10.77.0.11",))


def expired(lab: Lab) -> None:
    lab.public["w1"]["/etc/kubernetes/pki/ca.crt"] = pem("ca", NOW - timedelta(days=1))


def fourth_member(lab: Lab) -> None:
    lab.members.append(member("cp4", host="10.77.0.14", number=4))


def without_third(lab: Lab) -> None:
    del lab.members[2]


def alarmed(lab: Lab) -> None:
    lab.alarms.append({"memberID": "171", "alarm": "NOSPACE"})


def with_status(**more: str) -> Callable[[Lab], None]:
    return lambda lab: lab.statuses["cp3"].update(more)


def election_slow(lab: Lab) -> None:
    path = f"{paper.MANIFESTS}/etcd.yaml"
    lab.replace(path, "    - etcd\n", "    - etcd\n    - --election-timeout=5000\n", "cp2")


def unstarted(lab: Lab) -> None:
    lab.members.append(member("", host="10.77.0.14", number=4))


def webhook_of_two_on_one(lab: Lab) -> None:
    lab.put(HOOKS, hook("a.io"))
    selector = {"selector": {"app": "admit"}}
    lab.put(
        "/api/v1 services", {"metadata": {"name": "admit", "namespace": "shop"}, "spec": selector}
    )
    lab.put("/api/v1 pods", *(pod(f"a-{n}", node="w1", labels={"app": "admit"}) for n in (1, 2)))


def old_backup(lab: Lab) -> None:
    lab.backups["cp2"] = "100000 /var/lib/etcd/snapshots/latest.db\n"


CASES: dict[str, tuple[Callable[[Lab], None], str, str]] = {
    "lb-leads-nowhere": (in_haproxy("default_backend apiservers", ""), "cp1", "port 8443"),
    "lb-lacks-apiserver": (
        in_haproxy("    server cp3 10.77.0.13:6443\n", ""),
        "cp1",
        "servers 10.77.0.11, 10.77.0.12",
    ),
    "lb-servers-unchecked": (in_haproxy("default-server check ", "default-server "), "cp1", "cp1"),
    "lb-check-not-readyz": (in_haproxy("uri /readyz", "uri /healthz"), "cp1", "uri /healthz"),
    "lb-detection-slow": (in_haproxy("fall 2", "fall 9"), "cp1", "inter 1s fall 9"),
    "lb-connect-timeout-long": (
        in_haproxy("timeout connect 500ms", "timeout connect 5s"),
        "cp1",
        "timeout connect 5s",
    ),
    "lb-idle-timeout-short": (in_haproxy("client 90s", "client 35s"), "cp1", "timeout client 35s"),
    "lb-keeps-sessions": (in_haproxy(" on-marked-down shutdown-sessions", ""), "cp1", "on cp1"),
    "apiserver-shutdown-delay-short": (
        lambda lab: lab.replace(APISERVER, "delay-duration=10s", "delay-duration=0s", "cp2"),
        "cp2",
        "--shutdown-delay-duration=0s",
    ),
    "vip-not-held-once": (lambda lab: setattr(lab, "holders", ("cp1", "cp3")), "vip", "2 holders"),
    "vip-without-backup": (in_keepalived(f"{VIP}/32", "10.77.0.9/32", "cp2", "cp3"), "vip", "cp1"),
    "vip-instance-missing": (in_keepalived(f"{VIP}/32", "10.77.0.9/32", "cp2"), "cp2", "no vrrp"),
    "vrrp-peers-incomplete": (
        in_keepalived("        10.77.0.13\n", "", "cp1"),
        "cp1",
        "unicast_peer 10.77.0.12",
    ),
    "vrrp-nopreempt-ignored": (
        in_keepalived("state BACKUP", "state MASTER", "cp1"),
        "cp1",
        "MASTER",
    ),
    "vrrp-takeover-slow": (in_keepalived("advert_int 1", "advert_int 3"), "vip", "cp1 3, cp2 3"),
    "vrrp-no-script": (
        in_keepalived("    track_script {\n        haproxy\n    }\n", "", "cp2"),
        "cp2",
        "track_script nothing",
    ),
    "vrrp-script-without-effect": (
        in_keepalived("weight 0", "weight -1"),
        "cp1",
        "weight -1, priority 100",
    ),
    "vrrp-script-outlasts-interval": (in_keepalived("timeout 1", "timeout 9"), "cp1", "timeout 9"),
    "certificate-expired": (expired, "w1", "until 2026-05-31"),
    "certificate-lacks-vip": (other_names, "cp1", "names 10.77.0.11"),
    "etcd-members-even": (fourth_member, "etcd", "cp1, cp2, cp3, cp4"),
    "etcd-members-few": (without_third, "etcd", "cp1, cp2"),
    "etcd-node-without-member": (without_third, "cp3", "peers 10.77.0.11, 10.77.0.12"),
    "etcd-member-not-started": (unstarted, "member 4", "peer 10.77.0.14"),
    "etcd-alarm": (alarmed, "etcd", "NOSPACE of member ab"),
    "etcd-no-leader": (with_status(leader="0"), "cp3", "leader 0"),
    "etcd-versions-differ": (with_status(version="3.5.21"), "etcd", "cp3 3.5.21"),
    "etcd-almost-full": (with_status(dbSize="1900000000"), "cp3", "88% of the quota"),
    "etcd-timers-differ": (election_slow, "etcd", "cp2 100/5000 ms"),
    "etcd-election-slow": (election_slow, "cp2", "--election-timeout=5000"),
    "etcd-backup-old": (old_backup, "etcd", "27.8 h old"),
    "coredns-on-one-node": (dns_on_one_node, "kube-system/coredns", "2 pods on w1"),
    "workload-single-replica": (with_deployment(replicas=1), "shop/web", "replicas 1"),
    "workload-not-spread": (
        with_deployment(replicas=2, topologySpreadConstraints=None),
        "shop/web",
        "no podAntiAffinity",
    ),
    "workload-without-readiness": (
        with_deployment(replicas=2, containers=[{"name": "main"}]),
        "shop/web",
        "in main",
    ),
    "workload-left-for-ever": (stays_for_ever, "shop/web", "without tolerationSeconds"),
    "workload-without-budget": (
        lambda lab: lab.objects.pop(
            "/apis/policy/v1/namespaces/shop/poddisruptionbudgets/web"
        ).clear(),
        "shop/web",
        "no PodDisruptionBudget",
    ),
    "workload-under-two-budgets": (
        lambda lab: lab.put(BUDGETS, budget("more", allowed=1, labels=WEB, minAvailable=1)),
        "shop/web",
        "shop/web, shop/more",
    ),
    "capacity-short-without-largest": (asks_too_much, "workers", "left 7.84"),
    "control-plane-takes-pods": (without_taint, "cp3", "no NoSchedule"),
    "webhook-on-one-node": (
        webhook_of_two_on_one,
        "ValidatingWebhookConfiguration admit, a.io",
        "2 pods on w1",
    ),
    "webhook-covers-kube-system": (
        lambda lab: lab.put(HOOKS, hook("a.io", selector={})),
        "ValidatingWebhookConfiguration admit, a.io",
        "takes kube-system",
    ),
    "webhook-timeout-long": (
        lambda lab: lab.put(HOOKS, hook("a.io", timeoutSeconds=30)),
        "ValidatingWebhookConfiguration admit, a.io",
        "timeoutSeconds 30",
    ),
    "webhook-outside": (
        lambda lab: lab.put(HOOKS, hook("a.io", clientConfig={"url": "https://192.0.2.1/"})),
        "ValidatingWebhookConfiguration admit, a.io",
        "clientConfig.url",
    ),
    "node-not-ready": (node_changed("w3", conditions=[]), "w3", "Ready is not True"),
    "kubeconfig-loopback-unknown": (
        lambda lab: lab.public["w2"].update(
            {"/etc/kubernetes/kubelet.conf": "    server: https://127.0.0.1:6443\n"}
        ),
        "w2",
        "https://127.0.0.1:6443",
    ),
    "capacity-one-worker": (
        lambda lab: [
            lab.objects[f"/api/v1/nodes/{name}"]["spec"].update(unschedulable=True)
            for name in ("w2", "w3")
        ].clear(),
        "workers",
        "w1",
    ),
    "lease-takeover-slow": (
        lambda lab: lab.replace(
            f"{paper.MANIFESTS}/kube-scheduler.yaml",
            "--leader-elect=true",
            "--leader-elect=true\n    - --leader-elect-retry-period=5s",
        ),
        "kube-scheduler",
        "lease 15 s, retry 5 s",
    ),
    "controllers-without-standby": (
        lambda lab: lab.replace(
            f"{paper.MANIFESTS}/kube-scheduler.yaml",
            "--leader-elect=true",
            "--leader-elect=false",
            "cp1",
            "cp2",
        ),
        "kube-scheduler",
        "on cp3",
    ),
}
"""Rule → how it comes to be, of what it is found, the value in evidence."""


@pytest.mark.parametrize("rule", CASES)
def test_it_is_found_and_not_without(shop: Lab, rule: str) -> None:
    make, of, value = CASES[rule]
    assert shop.found(rule) == []
    make(shop)
    found = {one.of: one.found for one in shop.found(rule)}
    assert of in found, found
    assert value in found[of]


def test_certificates_may_be_wanted_for_longer(lab: Lab) -> None:
    terms = Terms(certificate_days=301, backup_places=BACKUPS)
    assert len({one.of for one in lab.found("certificate-expires-soon", terms=terms)}) == 6
    assert lab.found("certificate-expires-soon") == []


def test_a_shutdown_delay_costs_what_is_missing(lab: Lab) -> None:
    lab.replace(APISERVER, "delay-duration=10s", "delay-duration=1s", "cp2")
    cost = lab.the("apiserver-shutdown-delay-short").cost
    assert cost is not None
    assert (cost.low_s, cost.high_s) == (0.0, 0.5)


def test_a_stateful_set_s_pod_is_never_moved_so_that_no_cost_is_told(lab: Lab) -> None:
    labels = {"app": "db"}
    lab.put("/apis/apps/v1 statefulsets", deployment("db", replicas=1, labels=labels))
    lab.put("/api/v1 pods", pod("db-0", node="w1", labels=labels))
    one = lab.the("workload-single-replica")
    assert (one.where, one.cost) == ("StatefulSet shop/db", None)


def test_a_budget_over_no_pod_blocks_no_drain(lab: Lab) -> None:
    empty = budget("gone", allowed=0, labels={"app": "gone"}, maxUnavailable=1)
    empty["status"]["expectedPods"] = 0
    lab.put(BUDGETS, empty)
    assert lab.found("pdb-allows-none") == []


def test_a_daemon_s_requests_are_lost_with_its_machine(lab: Lab) -> None:
    for number in (1, 2, 3):
        big = pod(f"agent-{number}", node=f"w{number}", labels={"app": "agent"})
        big["metadata"]["ownerReferences"] = [{"kind": "DaemonSet", "controller": True}]
        big["spec"]["containers"][0]["resources"]["requests"] = {"memory": "2800Mi"}
        lab.put("/api/v1 pods", big)
    assert lab.found("capacity-short-without-largest") == []


def test_a_script_of_weight_0_gives_the_vip_up_whatever_the_priorities(lab: Lab) -> None:
    assert lab.found("vrrp-script-without-effect") == []


@pytest.mark.parametrize(
    ("text", "value"),
    [("100m", 0.1), ("2", 2), ("1Gi", 2**30), ("1.5k", 1500), ("129e6", 129e6), ("128M", 128e6)],
)
def test_quantities(text: str, value: float) -> None:
    assert quantity(text) == pytest.approx(value)


def test_one_control_plane_is_not_highly_available(lab: Lab) -> None:
    facts = lab.facts()
    nodes = facts.cluster.nodes[:1]
    alone = replace(facts, cluster=facts.cluster.model_copy(update={"nodes": nodes}))
    assert list(controllers.few.findings(facts)) == []
    (found,) = controllers.few.findings(alone)
    assert (found.id, found.found) == ("apiservers-few", "cp1")


def test_an_api_server_that_is_not_ready_blocks(lab: Lab) -> None:
    facts = lab.facts()
    assert list(controllers.not_ready.findings(facts)) == []
    (found,) = controllers.not_ready.findings(replace(facts, apiservers_ready={"cp1": False}))
    assert (found.id, found.of) == ("apiserver-not-ready", "cp1")


def test_nginx_asks_no_api_server(lab: Lab) -> None:
    facts = lab.facts()
    servers = tuple(NginxServer(f"10.77.0.1{number}", 6443) for number in (1, 2, 3))
    proxy = NginxFacts({facts.configuration.port: NginxProxy("api", servers)})
    other = replace(facts.configuration, nginx={"cp1": proxy})
    (found,) = (one for one in audit(replace(facts, configuration=other), explained=()).findings
                if one.id == "lb-passive-checks")  # fmt: skip
    assert (found.of, found.where) == ("cp1", "nginx.conf of cp1")
    assert lab.found("lb-passive-checks") == []
