"""Fifteen misconfigurations, each as the files and objects of a lab have it, and each found.

The control of all of them is that the same lab, left alone, gives no such finding.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from quorate.harness.drivers.haproxy_cfg import with_tcp_checks
from quorate.harness.model.audit import Severity
from tests import paper_lab as paper
from tests.unit.audit.conftest import (
    NOW,
    SCHEDULER,
    Lab,
    budget,
    deployment,
    hook,
    kubeconfig,
    member,
    pem,
    pod,
)

WEB = {"app": "web"}
SECOND = """
vrrp_instance other {
    state BACKUP
    interface eth0
    virtual_router_id 77
    priority 90
    advert_int 1
    virtual_ipaddress {
        10.77.0.101/32 dev eth0
    }
}
"""


def slow_script(lab: Lab) -> None:
    lab.replace(paper.KEEPALIVED, "interval 1", "interval 3")
    lab.replace(paper.KEEPALIVED, "fall 2", "fall 10")
    lab.replace(paper.KEEPALIVED, "weight 0", "weight -2")
    lab.replace(paper.KEEPALIVED, "    nopreempt\n", "")


def tcp_checks(lab: Lab) -> None:
    addresses = [f"10.77.0.1{n}" for n in (1, 2, 3)]
    for node in ("cp1", "cp2", "cp3"):
        text = lab.files[node][paper.HAPROXY]
        lab.files[node][paper.HAPROXY] = with_tcp_checks(text, addresses=addresses)


def same_priority(lab: Lab) -> None:
    lab.replace(paper.KEEPALIVED, "priority 99", "priority 100", "cp2")


def advert_mismatch(lab: Lab) -> None:
    lab.replace(paper.KEEPALIVED, "advert_int 1", "advert_int 3", "cp3")


def id_clash(lab: Lab) -> None:
    lab.files["cp2"][paper.KEEPALIVED] += SECOND


def one_coredns(lab: Lab) -> None:
    del lab.objects["/api/v1/namespaces/kube-system/pods/coredns-w2"]
    lab.objects["/apis/apps/v1/namespaces/kube-system/deployments/coredns"]["spec"]["replicas"] = 1


def budget_zero(lab: Lab) -> None:
    none = budget("web", allowed=0, labels=WEB, maxUnavailable=0)
    lab.put("/apis/policy/v1 poddisruptionbudgets", none)


def member_on_the_wrong_host(lab: Lab) -> None:
    lab.members[2] = member("cp3", host="10.77.0.21", number=3)


def two_members_on_one_host(lab: Lab) -> None:
    lab.members[2] = member("cp3", host="10.77.0.12", number=3)


def learner(lab: Lab) -> None:
    lab.members.append(member("cp4", host="10.77.0.14", number=10, isLearner=True))


def expiring(lab: Lab) -> None:
    soon = NOW + timedelta(days=12)
    lab.public["cp2"]["/etc/kubernetes/pki/etcd/server.crt"] = pem("cp2", soon)


def webhook(lab: Lab) -> None:
    lab.put("/apis/admissionregistration.k8s.io/v1 validatingwebhookconfigurations", hook("a.io"))
    selector = {"selector": {"app": "admit"}}
    service = {"metadata": {"name": "admit", "namespace": "shop"}, "spec": selector}
    lab.put("/api/v1 services", service)
    lab.put("/api/v1 pods", pod("admit-1", node="w1", labels={"app": "admit"}))


def no_redispatch(lab: Lab) -> None:
    lab.replace(paper.HAPROXY, "    option redispatch 1\n", "")


def one_apiserver(lab: Lab) -> None:
    lab.public["w1"]["/etc/kubernetes/kubelet.conf"] = "    server: https://10.77.0.11:6443\n"


def election_off(lab: Lab) -> None:
    lab.replace(SCHEDULER, "--leader-elect=true", "--leader-elect=false", "cp2")


def co_located(lab: Lab) -> None:
    lab.put("/api/v1 pods", *(pod(f"web-{n}", node="w1", labels=WEB) for n in (1, 2)))


SEEDED: dict[str, tuple[Callable[[Lab], None], str, str, str]] = {
    "script 3 s x 10": (slow_script, "vrrp-script-slow", "cp1", "interval 3, fall 10, weight -2"),
    "TCP check": (tcp_checks, "lb-check-tcp-only", "cp1", "no option httpchk"),
    "same priority": (same_priority, "vrrp-same-priority", "vip", "priority 100"),
    "advert mismatch": (advert_mismatch, "vrrp-advert-mismatch", "vip", "cp3: advert_int 3"),
    "VRID clash": (id_clash, "vrrp-id-clash", "vip", "virtual_router_id 77: api on cp1"),
    "one CoreDNS": (one_coredns, "coredns-single-replica", "kube-system/coredns", "1 ready"),
    "PDB 0": (budget_zero, "pdb-allows-none", "shop/web", "maxUnavailable 0; 2 of 2 healthy"),
    "member elsewhere": (member_on_the_wrong_host, "etcd-member-misplaced", "cp3", "10.77.0.21"),
    "two on one": (two_members_on_one_host, "etcd-member-misplaced", "cp2", "peer 10.77.0.12"),
    "learner": (learner, "etcd-learner", "cp4", "isLearner true, id a"),
    "certificate": (expiring, "certificate-expires-soon", "cp2", "until 2026-06-13 12:00 UTC"),
    "webhook": (
        webhook,
        "webhook-single-replica",
        "ValidatingWebhookConfiguration admit, a.io",
        "failurePolicy Fail, 1 ready pod(s) behind shop/admit",
    ),
    "no redispatch": (no_redispatch, "lb-no-redispatch", "cp1", "no option redispatch, retries 3"),
    "one API server": (one_apiserver, "kubeconfig-one-apiserver", "w1", "https://10.77.0.11:6443"),
    "election off": (election_off, "leader-election-off", "cp2", "--leader-elect=false"),
    "co-located": (co_located, "workload-co-located", "shop/web", "2 pods on w1"),
}
"""What is wrong → what makes it so, the rule that finds it, of what, and the value in evidence."""


@pytest.mark.parametrize("wrong", SEEDED)
def test_it_is_found(shop: Lab, wrong: str) -> None:
    make, rule, of, value = SEEDED[wrong]
    assert shop.found(rule) == [], "the healthy lab gives no such finding"
    make(shop)
    found = shop.found(rule)
    assert of in {one.of for one in found}
    one = next(one for one in found if one.of == of)
    assert value in one.found
    assert one.fix
    assert one.where


def test_the_healthy_lab_gives_what_its_list_explains_and_no_more(lab: Lab) -> None:
    assert [one.id for one in lab.audit().findings] == ["coredns-without-budget"]


def test_a_web_server_that_is_as_it_should_be_is_no_finding(shop: Lab) -> None:
    assert [one.id for one in shop.audit().findings] == ["coredns-without-budget"]


COSTS = {
    "script 3 s x 10": (29.6, 33.6),
    "same priority": (2.6, 3.6),
    "one CoreDNS": (340.0, 362.0),
    "webhook": (340.0, 362.0),
    "no redispatch": (0.0, 2.5),
    "co-located": (340.0, 362.0),
}


@pytest.mark.parametrize("wrong", COSTS)
def test_what_it_costs(shop: Lab, wrong: str) -> None:
    make, rule, *_ = SEEDED[wrong]
    make(shop)
    cost = shop.found(rule)[0].cost
    assert cost is not None
    assert (cost.low_s, cost.high_s) == pytest.approx(COSTS[wrong], abs=0.05)


@pytest.mark.parametrize("wrong", sorted(set(SEEDED) - set(COSTS)))
def test_no_number_is_made_up_where_no_formula_tells(shop: Lab, wrong: str) -> None:
    make, rule, *_ = SEEDED[wrong]
    make(shop)
    assert {one.cost for one in shop.found(rule)} == {None}


def test_the_script_s_cost_stands_in_the_title(shop: Lab) -> None:
    slow_script(shop)
    title = shop.found("vrrp-script-slow")[0].title
    assert "29.6 to 33.6 s" in title
    assert "no experiment needed" in title


def test_a_member_elsewhere_leaves_its_node_without_one(lab: Lab) -> None:
    member_on_the_wrong_host(lab)
    assert lab.the("etcd-node-without-member").of == "cp3"


def test_a_learner_has_no_vote(lab: Lab) -> None:
    lab.members[2]["isLearner"] = True
    assert lab.the("etcd-members-few").severity is Severity.BLOCKING


def test_a_control_plane_may_ask_its_own_api_server_and_no_other(lab: Lab) -> None:
    late = NOW + timedelta(days=300)
    path = "/etc/kubernetes/scheduler.conf"
    lab.public["cp2"][path] = kubeconfig("https://10.77.0.11:6443", user="s", until=late)
    one = lab.the("kubeconfig-one-apiserver")
    assert (one.of, one.where) == ("cp2", path)


def test_the_same_id_on_another_interface_is_another_network(lab: Lab) -> None:
    lab.files["cp2"][paper.KEEPALIVED] += SECOND.replace("interface eth0", "interface eth1")
    assert lab.found("vrrp-id-clash") == []


def test_the_same_id_for_ipv6_is_another_router(lab: Lab) -> None:
    lab.files["cp2"][paper.KEEPALIVED] += SECOND.replace("10.77.0.101/32", "fd00::101/128")
    assert lab.found("vrrp-id-clash") == []


def test_a_webhook_that_ignores_its_failure_stops_nothing(lab: Lab) -> None:
    path = "/apis/admissionregistration.k8s.io/v1 mutatingwebhookconfigurations"
    lab.put(path, hook("a.io", failurePolicy="Ignore"))
    assert not [one for one in lab.audit().findings if one.id.startswith("webhook")]


def test_a_deployment_that_is_scaled_to_nothing_is_no_single_replica(lab: Lab) -> None:
    lab.put("/apis/apps/v1 deployments", deployment("idle", replicas=0, labels=WEB))
    assert not [one for one in lab.audit().findings if one.of == "shop/idle"]
