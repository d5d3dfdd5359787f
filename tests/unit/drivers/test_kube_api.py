"""Writing by way of whichever API server answers, and the same as commands in a journal."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from quorate.harness.drivers import kube_command
from quorate.harness.drivers.kube import Answer
from quorate.harness.drivers.kube_api import KubeApi, KubeCommands
from quorate.harness.drivers.kube_command import carry_out, field_of, missing_in
from quorate.harness.errors import DriverError
from quorate.harness.model.cluster import Cluster
from quorate.harness.model.own_commands import KUBE
from quorate.harness.transport.own import spelled
from tests.memory_api import MemoryServer, pod

NODE = "/api/v1/nodes/w1"


class Sick(MemoryServer):
    """Answers everything with 500, as an API server without etcd does."""

    def ask(
        self, method: str, path: str, *, body: bytes | None = None, content_type: str = ""
    ) -> Answer:
        self.asked.append((method, path))
        return Answer(500, b'{"message": "etcdserver: no leader"}')


def dead() -> MemoryServer:
    server = MemoryServer()
    server.down = True
    return server


def test_the_first_that_answers_for_the_cluster_is_believed() -> None:
    sick, well = Sick(), MemoryServer({NODE: {"spec": {}}})
    api = KubeApi(lambda: [dead(), sick, well])
    api.patch(NODE, {"spec": {"unschedulable": True}})
    assert well.objects[NODE] == {"spec": {"unschedulable": True}}
    assert sick.asked


def test_when_all_are_sick_what_they_say_is_told() -> None:
    with pytest.raises(DriverError, match="no leader"):
        KubeApi(lambda: [Sick(), Sick()]).get(NODE)


def test_when_none_answers_nothing_is_made_up() -> None:
    with pytest.raises(DriverError, match="no API server answers"):
        KubeApi(lambda: [dead()]).get(NODE)


def test_what_is_not_there_is_none_and_harmless() -> None:
    api = MemoryServer().api
    assert api.get(NODE) is None
    assert api.patch(NODE, {"spec": {}}) is None
    assert api.delete(NODE) is False


def test_an_eviction_names_the_very_pod() -> None:
    bodies: list[bytes | None] = []

    class Listening(MemoryServer):
        def ask(
            self, method: str, path: str, *, body: bytes | None = None, content_type: str = ""
        ) -> Answer:
            bodies.append(body)
            return super().ask(method, path, body=body, content_type=content_type)

    server = Listening(dict([pod("a")]))
    one = server.objects["/api/v1/namespaces/shop/pods/a"]
    assert server.api.evict(one).status == 201
    assert json.loads(bodies[-1] or b"")["deleteOptions"]["preconditions"] == {"uid": "uid-a"}


def test_a_command_is_data_that_every_machine_can_carry_out(cluster: Cluster) -> None:
    argv = KubeCommands().patch(NODE, {"spec": {"unschedulable": None}})
    words = ("patch", NODE, '{"spec":{"unschedulable":null}}')
    assert argv == (KUBE, *words), "no path of the machine that wrote it"
    here = spelled(argv, cluster=cluster)
    assert here[:3] == (sys.executable, "-m", kube_command.__name__)
    assert "--server=cp2=192.0.2.2" in here
    assert f"--kubeconfig={Path('kubeconfig').absolute()}" in here
    assert here[-3:] == words
    assert not any("192.0.2.100" in word for word in here), "never by the VIP"
    assert spelled(("true",), cluster=cluster) == ("true",)


def test_undoing_what_was_never_done_is_fine() -> None:
    server = MemoryServer()
    assert carry_out(server.api, "delete", [NODE, "{}"]) == "gone"
    assert carry_out(server.api, "patch", [NODE, "{}"]) == "gone"
    assert carry_out(server.api, "show", [NODE, "spec"]) == "gone"


def test_show_prints_json_that_a_pattern_can_be_held_against() -> None:
    server = MemoryServer({NODE: {"spec": {"unschedulable": True}}})
    assert carry_out(server.api, "show", [NODE, "spec.unschedulable"]) == "true"
    carry_out(server.api, "patch", [NODE, '{"spec":{"unschedulable":null}}'])
    assert carry_out(server.api, "show", [NODE, "spec.unschedulable"]) == "null"


def test_ready_counts_ready_pods() -> None:
    server = MemoryServer(dict([pod("a"), pod("b")]))
    assert carry_out(server.api, "ready", ["shop", "app=web", "2"]) == "ready"
    server.objects["/api/v1/namespaces/shop/pods/b"]["metadata"]["deletionTimestamp"] = "now"
    assert carry_out(server.api, "ready", ["shop", "app=web", "2"]) == "1 of 2"


def test_fields_go_through_lists() -> None:
    assert field_of({"spec": {"containers": [{"image": "x"}]}}, "spec.containers.0.image") == "x"
    assert field_of({"spec": {"containers": []}}, "spec.containers.0.image") is None


def test_a_deployment_that_its_controller_has_not_seen_is_not_rolled_out() -> None:
    status = {"observedGeneration": 1, "replicas": 3, "updatedReplicas": 3, "readyReplicas": 3}
    deployment = {"metadata": {"generation": 2}, "spec": {"replicas": 3}, "status": status}
    assert missing_in(deployment)
    deployment["metadata"]["generation"] = 1
    assert not missing_in(deployment)
    status["updatedReplicas"] = 1
    assert missing_in(deployment) == "updatedReplicas 1 of 3"


def test_the_command_imports_no_model() -> None:
    """It is started four times in every run: with pydantic each start would take 0.4 s more."""
    ask = f"import sys, {kube_command.__name__}; print('pydantic' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
