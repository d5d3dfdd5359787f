"""webhook_of_one_replica: one pod behind a webhook that must answer, and is never asked."""

from __future__ import annotations

import pytest

from quorate.harness.drivers import webhook
from quorate.harness.drivers.bundle import Drivers
from quorate.harness.errors import RefusedError
from quorate.harness.faults.arrangements.webhook_of_one_replica import WebhookOfOneReplica
from quorate.harness.faults.contract import Plan
from quorate.harness.model.cluster import Cluster
from quorate.harness.run.arranging import AS_IT_IS
from tests.memory_api import MemoryServer, carry_out_all, drivers_of

SUBJECT = WebhookOfOneReplica()


@pytest.fixture
def server() -> MemoryServer:
    return MemoryServer()


@pytest.fixture
def drivers(cluster: Cluster, server: MemoryServer) -> Drivers:
    return drivers_of(cluster, server)


def planned(drivers: Drivers) -> Plan:
    return AS_IT_IS.plan(SUBJECT, drivers=drivers, mark="m-1", holder=None)


def test_it_is_there_when_its_one_pod_is_ready(drivers: Drivers, server: MemoryServer) -> None:
    plan = planned(drivers)
    assert not SUBJECT.proof(drivers, plan=plan).ok
    acts = [act for act in SUBJECT.acts(drivers, plan=plan) if act.argv[1] != "rolled-out"]
    carry_out_all(acts, server)
    assert not SUBJECT.proof(drivers, plan=plan).ok, "nothing answers yet"
    server.objects[webhook.DEPLOYMENT_PATH]["status"] = {"readyReplicas": 1}
    assert SUBJECT.proof(drivers, plan=plan).ok
    server.objects[webhook.PATH]["webhooks"][0]["failurePolicy"] = "Ignore"
    assert not SUBJECT.proof(drivers, plan=plan).ok


def test_it_can_stop_nothing_of_others() -> None:
    (only,) = webhook.configuration(labels={})["webhooks"]
    (rule,) = only["rules"]
    assert only["namespaceSelector"] == {
        "matchLabels": {"kubernetes.io/metadata.name": webhook.NAME}
    }
    assert (rule["resources"], rule["scope"]) == (["podtemplates"], "Namespaced")


def test_the_webhook_goes_before_what_answers_for_it(drivers: Drivers) -> None:
    """Undos are carried out from the last to the first."""
    plan = planned(drivers)
    assert [one.argv[2] for one in SUBJECT.undos(drivers, plan=plan)] == [
        webhook.NAMESPACE_PATH,
        webhook.PATH,
    ]
    assert SUBJECT.acts(drivers, plan=plan)[-1].argv[2] == webhook.PATH


@pytest.mark.parametrize("path", [webhook.NAMESPACE_PATH, webhook.PATH])
def test_what_is_there_already_is_left_alone(
    path: str, drivers: Drivers, server: MemoryServer
) -> None:
    server.objects[path] = {"metadata": {"name": webhook.NAME}}
    with pytest.raises(RefusedError, match="kubectl delete"):
        planned(drivers)
