"""The lab is the cluster that it says it is, and keeps its hands off the host."""

from __future__ import annotations

import json

import pytest

from tests.lab.conftest import Lab

pytestmark = pytest.mark.lab


def test_every_node_is_ready(lab: Lab) -> None:
    nodes = json.loads(lab.kubectl("get", "nodes", "-o", "json"))["items"]
    ready = {
        node["metadata"]["name"]: condition["status"]
        for node in nodes
        for condition in node["status"]["conditions"]
        if condition["type"] == "Ready"
    }
    assert ready == dict.fromkeys(["cp1", "cp2", "cp3", "w1", "w2", "w3"], "True")


def test_status_says_what_runs(lab: Lab) -> None:
    labs = json.loads(lab.run("lab", "status", "--json").stdout)
    assert lab.name in labs


@pytest.mark.parametrize(
    "path", ["/proc/sysrq-trigger", "/proc/sys/kernel/sysrq", "/proc/sys/vm/swappiness"]
)
@pytest.mark.parametrize("node", ["cp1", "w1"])
def test_a_node_cannot_touch_the_kernel_of_its_host(lab: Lab, node: str, path: str) -> None:
    """Opened for writing and not a byte written: harmless should the mask ever be gone."""
    written = lab.on(node, "sh", "-c", f": > {path}")
    assert written.returncode != 0, f"{path} can be opened for writing in {node}"


def test_a_second_up_while_it_is_up_is_refused_and_changes_nothing(lab: Lab) -> None:
    before = lab.kubectl("get", "nodes", "-o", "jsonpath={.items[*].metadata.uid}")
    assert lab.run("lab", "up", "--name", lab.name, check=False).returncode == 3
    assert lab.kubectl("get", "nodes", "-o", "jsonpath={.items[*].metadata.uid}") == before
