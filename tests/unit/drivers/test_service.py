"""The service under watch: what is deployed, and when it counts as settled."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator

import pytest

from quorate.harness.drivers.service import (
    DEPLOYMENT_PATH,
    NAMESPACE_PATH,
    ServiceDriver,
    container,
    objects,
)
from quorate.harness.model import service
from quorate.harness.model.cluster import Cluster
from tests.memory_api import MemoryServer, pod


@pytest.fixture
def page() -> Iterator[http.server.HTTPServer]:
    """A NodePort on this machine."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = service.GREETING.encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def local(cluster: Cluster, port: int) -> Cluster:
    """The worker is this machine."""
    nodes = [
        node.model_copy(update={"address": "127.0.0.1"}) if node.name == "w1" else node
        for node in cluster.nodes
    ]
    ours = cluster.service.model_copy(update={"node_port": port})
    return cluster.model_copy(update={"nodes": tuple(nodes), "service": ours})


def pods(*names: str) -> MemoryServer:
    return MemoryServer(
        dict(pod(name, namespace=service.NAMESPACE, labels=service.LABELS) for name in names)
    )


def test_everything_of_ours_carries_the_mark(cluster: Cluster) -> None:
    made = objects(cluster, labels={"quorate/mark": "quorate-x"})
    assert next(iter(made)) == NAMESPACE_PATH, "the namespace comes first"
    assert all(one["metadata"]["labels"] == {"quorate/mark": "quorate-x"} for one in made.values())
    deployment = made[DEPLOYMENT_PATH]
    assert deployment["spec"]["replicas"] == service.REPLICAS
    assert deployment["spec"]["template"]["metadata"]["labels"]["quorate/mark"] == "quorate-x"


def test_image_and_port_are_the_cluster_s(cluster: Cluster) -> None:
    ours = cluster.service.model_copy(update={"image": "registry.example/b:2", "node_port": 31000})
    made = objects(cluster.model_copy(update={"service": ours}), labels={})
    assert "registry.example/b:2" in str(made[DEPLOYMENT_PATH])
    assert "31000" in str(made)


def test_pre_stop_is_what_the_control_leaves_out() -> None:
    assert "lifecycle" in container(image="x")
    assert "lifecycle" not in container(image="x", pre_stop=False)


def test_settled_is_so_many_ready_pods_and_an_answer(
    cluster: Cluster, page: http.server.HTTPServer
) -> None:
    here = local(cluster, page.server_port)
    server = pods("a", "b", "c")
    driver = ServiceDriver(here, api=server.api)
    assert driver.unsettled(replicas=3) == ""
    assert "3 of 1" in driver.unsettled(replicas=1)
    last = next(reversed(server.objects.values()))
    last["metadata"]["deletionTimestamp"] = "now"
    assert "2 of 3 pods ready, 1 ending" in driver.unsettled(replicas=3)


def test_pods_that_nobody_reaches_are_not_settled(cluster: Cluster) -> None:
    driver = ServiceDriver(local(cluster, 1), api=pods("a").api)
    assert driver.unsettled(replicas=1) == "no answer at the NodePort of w1"
