"""Pods, nodes and EndpointSlices as the API tells of them → the facts that are written down."""

from __future__ import annotations

from typing import Any

import pytest

from quorate.harness.drivers.watched import endpoints_of, followed, node_of, pod_of, version_of
from quorate.harness.errors import DriverError


def meta(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "namespace": "shop", "uid": f"uid-{name}", "resourceVersion": "7", **more}


def pod(*, kind: str = "ReplicaSet", owner: str = "web-6d4", **more: Any) -> dict[str, Any]:
    owners = [{"kind": kind, "name": owner, "controller": True}]
    return {
        "metadata": meta("web-6d4-x", ownerReferences=owners, labels={"pod-template-hash": "6d4"}),
        "spec": {"nodeName": "w1"},
        "status": {
            "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [{"restartCount": 2, "state": {"running": {}}}],
        },
    } | more


def data_of(found: dict[str, Any]) -> dict[str, Any]:
    thing = pod_of(found)
    assert thing is not None
    return dict(thing.data)


def test_a_pod_of_a_deployment_is_the_deployment_s() -> None:
    assert data_of(pod()) == {
        "namespace": "shop",
        "name": "web-6d4-x",
        "uid": "uid-web-6d4-x",
        "owner": "shop/web",
        "node": "w1",
        "started": True,
        "restarts": 2,
        "ready": True,
        "ending": False,
    }
    assert data_of(pod(kind="StatefulSet", owner="db"))["owner"] == "shop/db"


def test_a_pod_that_was_only_just_made() -> None:
    data = data_of(pod(spec={}, status={}))
    assert (data["node"], data["started"], data["ready"]) == (None, False, False)


def test_a_container_that_has_ended_is_not_started() -> None:
    ended = {"containerStatuses": [{"restartCount": 2, "state": {"terminated": {}}}]}
    assert data_of(pod(status=ended))["started"] is False


@pytest.mark.parametrize("kind", ["DaemonSet", "Node"])
def test_what_nothing_makes_again_elsewhere_is_left_out(kind: str) -> None:
    found = pod(kind=kind, owner="x")
    if kind == "Node":
        found["metadata"]["annotations"] = {"kubernetes.io/config.mirror": "y"}
    assert pod_of(found) is None
    alone = pod()
    del alone["metadata"]["ownerReferences"]
    assert pod_of(alone) is None


def test_a_node_s_condition_and_what_drives_pods_away() -> None:
    taints = [
        {"key": "node.kubernetes.io/unreachable", "effect": "NoSchedule"},
        {"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"},
    ]
    ready = [{"type": "Ready", "status": "Unknown"}]
    found = node_of(
        {"metadata": meta("w1"), "spec": {"taints": taints}, "status": {"conditions": ready}}
    )
    assert found.data == {
        "node": "w1",
        "ready": "Unknown",
        "no_execute": ["node.kubernetes.io/unreachable"],
        "cordoned": False,
    }
    assert node_of({"metadata": meta("w1")}).data["ready"] == "Unknown", "never reported yet"


def test_only_ready_endpoints_count() -> None:
    def endpoint(uid: str, ready: bool | None) -> dict[str, Any]:
        return {"targetRef": {"uid": uid}, "conditions": {"ready": ready}}

    labels = {"kubernetes.io/service-name": "web"}
    each = [endpoint("b", True), endpoint("a", True), endpoint("c", False), endpoint("d", None)]
    found = endpoints_of({"metadata": meta("web-q", labels=labels), "endpoints": each})
    assert found.data["ready"] == ["a", "b"]
    assert found.data["service"] == "web"
    assert endpoints_of({"metadata": meta("web-q"), "endpoints": None}).data["ready"] == []


def test_a_version_that_cannot_be_compared_is_named() -> None:
    with pytest.raises(DriverError, match="'x1'"):
        version_of({"metadata": {"resourceVersion": "x1"}})


def test_nodes_and_the_namespaces_asked_for_are_followed() -> None:
    assert [one.path for one in followed(("shop",))] == [
        "/api/v1/nodes",
        "/api/v1/namespaces/shop/pods",
        "/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices",
    ]
