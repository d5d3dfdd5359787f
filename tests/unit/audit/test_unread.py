"""What cannot be read is a finding, and nothing is concluded from it."""

from __future__ import annotations

import pytest

from quorate.harness.model.audit import Severity
from quorate.harness.run import audit_reading
from tests import paper_lab as paper
from tests.unit.audit.conftest import NOW, Lab

PODS = "/api/v1/pods"


def test_a_node_that_is_not_reached_is_unknown_and_blames_nobody(lab: Lab) -> None:
    lab.silent = ("cp2", "cp3")
    found = lab.audit()
    unknown = {one.of for one in found.findings if one.severity is Severity.UNKNOWN}
    for what in ("keepalived.conf", "haproxy.cfg", "etcd's status", "addresses"):
        assert {f"{what} of cp2", f"{what} of cp3"} <= unknown
    assert found.count(Severity.BLOCKING) == 0, [one.id for one in found.open]
    assert found.exit_code == 3


def test_an_api_that_is_silent_leaves_no_object_to_be_judged(lab: Lab) -> None:
    lab.server.down = True
    found = lab.audit()
    assert {PODS, "/api/v1/nodes"} <= {one.of for one in found.findings}
    assert {one.id for one in found.findings} == {"not-read"}
    assert found.exit_code == 3


def test_where_no_api_server_answers_the_way_there_may_be_bad(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paper.PaperKube, "is_ready", lambda self, node: node.name == "cp1")
    assert [one.of for one in lab.found("apiserver-not-ready")] == ["cp2", "cp3"]
    monkeypatch.setattr(paper.PaperKube, "is_ready", lambda self, node: False)
    assert lab.found("apiserver-not-ready") == []
    assert lab.the("not-read").of == "API servers"


@pytest.mark.parametrize("missing", [PODS, "/apis/policy/v1/poddisruptionbudgets"])
def test_a_list_that_is_refused_makes_no_workload_look_alone(shop: Lab, missing: str) -> None:
    answer = shop.server._answer

    def refusing(method: str, path: str, **more: object) -> tuple[int, dict[str, object]]:
        return (403, {"message": "forbidden"}) if path == missing else answer(method, path, **more)  # type: ignore[arg-type]

    shop.server._answer = refusing  # type: ignore[method-assign]
    found = shop.audit()
    assert {one.id for one in found.findings} == {"not-read"}
    assert missing in {one.of for one in found.findings}


def test_a_file_that_is_not_there_is_named(lab: Lab) -> None:
    del lab.files["cp1"][paper.KEEPALIVED]
    one = lab.the("not-read")
    assert one.of == "keepalived.conf of cp1"
    assert "/etc/keepalived/keepalived.conf" in one.found


def test_a_file_that_makes_no_sense_is_named(lab: Lab) -> None:
    lab.replace(paper.HAPROXY, "timeout connect 500ms", "timeout connect soon", "cp3")
    assert "soon" in lab.the("not-read").found


def test_a_node_without_certificates_is_not_taken_for_one_with_good_ones(lab: Lab) -> None:
    lab.public["w1"] = {}
    assert lab.the("not-read").of == "certificates and kubeconfigs of w1"


def test_a_cluster_without_coredns_is_told(lab: Lab) -> None:
    del lab.objects["/apis/apps/v1/namespaces/kube-system/deployments/coredns"]
    assert lab.the("not-read").of == "kube-system/coredns"


def test_an_object_that_cannot_be_read_does_not_hide_the_others(shop: Lab) -> None:
    shop.put("/apis/apps/v1 deployments", {"metadata": {"name": "odd", "namespace": "shop"}})
    assert shop.the("not-read").of == "/apis/apps/v1/deployments"
    assert [one.name for one in shop.facts().workloads] == ["shop/web"]


def test_nothing_is_asked_that_changes_anything(lab: Lab) -> None:
    lab.server.objects = lab.objects
    nodes = lab._nodes()
    drivers = paper.drivers(lab.server, nodes=nodes)
    audit_reading.read_audit_facts(drivers, now=NOW, terms=audit_reading.Terms())
    assert {method for method, _ in lab.server.asked} == {"GET"}
    first = {call.argv[0] for call in nodes.calls}
    assert first == {"sh", "curl", "ip", "systemctl"}
    asked = {call.argv[-1] for call in nodes.calls if call.argv[0] == "curl"}
    assert {one.rpartition("/v3/")[2] for one in asked} == {
        "cluster/member/list",
        "maintenance/alarm",
        "maintenance/status",
    }
