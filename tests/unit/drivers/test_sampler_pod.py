"""The pod that probes are asked from: what it may and may not, and what is said of its end."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from quorate.harness.drivers.pods import leaves_in_a_drain
from quorate.harness.drivers.sampler_pod import (
    PODS,
    SECRETS,
    SamplerPod,
    SamplerPodDriver,
    end_of,
    object_of,
    secret_of,
)
from quorate.harness.errors import DriverError
from quorate.harness.model.cluster import Cluster
from tests.memory_api import MemoryServer

POD = SamplerPod(
    mark="quorate-1-a-sampler-1",
    node="w1",
    argv=("python3", "x"),
    files={"order.json": b"\x00secret"},
    lasts_s=100.4,
)


def driver(cluster: Cluster, server: MemoryServer) -> SamplerPodDriver:
    kube: Any = None
    return SamplerPodDriver(cluster, kube=kube, api=server.api)


def test_it_is_pinned_and_may_nothing() -> None:
    made = object_of(POD, image="registry/python:3")
    spec = made["spec"]
    assert spec["nodeName"] == "w1"
    assert spec["tolerations"] == [{"operator": "Exists"}]
    assert spec["restartPolicy"] == "Never"
    assert spec["automountServiceAccountToken"] is False
    assert spec["activeDeadlineSeconds"] == 100
    assert "hostNetwork" not in spec
    assert "priorityClassName" not in spec
    (container,) = spec["containers"]
    assert container["image"] == "registry/python:3"
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert not leaves_in_a_drain(made), "it looks on while its node is drained"


def test_what_is_secret_is_in_the_secret_alone_and_both_carry_the_mark() -> None:
    secret, pod = secret_of(POD), object_of(POD, image="i")
    assert base64.b64decode(secret["data"]["order.json"]) == b"\x00secret"
    assert base64.b64encode(b"\x00secret").decode() not in json.dumps(pod)
    for one in (secret, pod):
        assert one["metadata"]["labels"]["quorate/mark"] == POD.mark
    assert pod["spec"]["volumes"][0]["secret"]["secretName"] == secret["metadata"]["name"]


def test_the_secret_is_made_first(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    server = MemoryServer()
    made: list[str] = []
    one = driver(cluster, server)
    monkeypatch.setattr(one._api, "create", lambda path, body: made.append(path))
    one.make(POD)
    assert made == [SECRETS, PODS]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({"phase": "Pending"}, False),
        ({"phase": "Running"}, True),
        ({"phase": "Failed", "reason": "DeadlineExceeded"}, "DeadlineExceeded"),
        (
            {
                "phase": "Pending",
                "containerStatuses": [{"state": {"waiting": {"reason": "ImagePullBackOff"}}}],
            },
            "service.sampler_image in cluster.yaml.*ImagePullBackOff",
        ),
        (
            {
                "phase": "Pending",
                "containerStatuses": [{"state": {"waiting": {"reason": "ContainerCreating"}}}],
            },
            False,
        ),
        (None, "gone"),
    ],
)
def test_it_runs_or_not_yet_or_never(
    cluster: Cluster, status: dict[str, Any] | None, expected: bool | str
) -> None:
    server = MemoryServer()
    if status is not None:
        server.objects[f"{PODS}/p"] = {"metadata": {"name": "p"}, "status": status}
    if isinstance(expected, bool):
        assert driver(cluster, server).is_running("p") is expected
        return
    with pytest.raises(DriverError, match=expected):
        driver(cluster, server).is_running("p")


def test_its_end_is_told_where_anybody_can_tell(cluster: Cluster) -> None:
    server = MemoryServer()
    assert driver(cluster, server).ended("p") == "its pod is gone"
    server.down = True
    assert driver(cluster, server).ended("p") == "", "nobody knows"
    assert end_of({"status": {"phase": "Running"}}) == ""
    assert end_of({}) == ""
