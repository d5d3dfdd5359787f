"""Every shipped experiment is predicted from the lab's own files, or it is said why not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.files import texts_argv
from quorate.harness.drivers.service import container, tolerations
from quorate.harness.errors import CommandTimeout, NodeUnreachable
from quorate.harness.model import service
from quorate.harness.model.experiment import Experiment
from quorate.harness.model.verdict import PredictionResult
from quorate.harness.predict.predictions import SHARE
from quorate.harness.run.forecast import Forecast, is_alone
from quorate.harness.run.limits import on_together
from quorate.harness.run.play import read_experiment, read_source
from quorate.harness.run.reading import read_cluster_facts
from quorate.harness.run.targets import Facts, resolve, words_of
from quorate.harness.transport import Reply
from tests import paper_lab
from tests.memory_api import MemoryServer, budget, pod

EXPERIMENTS = Path(__file__).parents[3] / "experiments"
FACTS = Facts(
    "cp1",
    "cp2",
    {"k8s-app=kube-dns": ("w1",), service.SELECTOR: ("w1",), "app=quorate-webhook": ("w1",)},
    {"scheduler-leader": "cp2", "controller-manager-leader": "cp2"},
)
BACKUPS = ("cp1", "cp2", "cp3")


def pods() -> MemoryServer:
    """The service under watch on every worker, CoreDNS on two of them."""
    objects: dict[str, Any] = {}
    for node in ("w1", "w2", "w3"):
        name = f"web-{node}"
        path, one = pod(name, node=node, namespace=service.NAMESPACE, labels=service.LABELS)
        one["spec"] |= {
            "containers": [container(image="x")],
            "terminationGracePeriodSeconds": 8,
            "tolerations": tolerations(),
        }
        objects[path] = one
    for node in ("w1", "w2"):
        path, one = pod(
            f"dns-{node}", node=node, namespace="kube-system", labels={"k8s-app": "kube-dns"}
        )
        objects[path] = one
    path, one = budget("service", allowed=1, namespace=service.NAMESPACE)
    one["spec"]["selector"]["matchLabels"] = service.LABELS
    return MemoryServer({**objects, path: one})


def read(name: str) -> Experiment:
    return read_experiment(read_source(EXPERIMENTS / f"{name}.yaml"))


def foretold(
    experiment: Experiment, *, drivers: Drivers | None = None, facts: Facts = FACTS
) -> tuple[PredictionResult, ...]:
    asked = drivers or paper_lab.drivers(pods())
    nodes = {
        word: resolve(word, cluster=asked.cluster, facts=facts, seed=1)
        for word in words_of(experiment)
    }
    targeted = sorted({node for found in nodes.values() for node in found})
    first, *_ = on_together(experiment, nodes=nodes)
    forecast = Forecast.read(asked, nodes=targeted)
    return forecast.of(experiment, placed=first[-1], facts=facts, backups=BACKUPS)


def of_fault(name: str) -> dict[str, tuple[float, float] | str]:
    """What the objectives about the fault should come to, by indicator and probe."""
    drivers = paper_lab.drivers(pods(), plan=paper_lab.plan_for(name))
    return {
        f"{one.what} {' '.join(one.of)}".strip(): one.reason
        if one.low is None or one.high is None
        else (round(one.low, 2), round(one.high, 2))
        for one in foretold(read(name), drivers=drivers)
        if one.component is None and one.what != "time_to_whole_s" and one.during != "return"
    }


OWNER = f"{service.NAMESPACE}/{service.NAME}"
AGE = "there is no formula for how old a watch gets"
SKEW = 0.61
"""Of cp2, whose priority is 99: the quickest backup of cp1."""


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("apiserver_isolate", {"longest_outage_s api": (0, 0.5),
                               "longest_outage_s api_reused": (0, 2.7),
                               "longest_outage_s watch": AGE}),
        ("apiserver_isolate_seen_from_pod", {"longest_outage_s api": (0, 0.5),
                                             "longest_outage_s pod_api": (0, 0.5),
                                             "longest_outage_s pod_api_reused": (0, 2.9)}),
        ("apiserver_isolate_seen_from_worker", {"longest_outage_s api": (0, 0.5),
                                                "longest_outage_s worker_api": (0, 0.5),
                                                "longest_outage_s worker_api_reused": (0, 2.9)}),
        ("apiserver_kill", {"longest_outage_s api": (0, 2.5)}),
        ("apiserver_pause", {"longest_outage_s api": (0, 2.5), "longest_outage_s watch": AGE}),
        ("apiserver_stop", {"bad_samples api": (0, 0)}),
        ("container_runtime_stop", {"bad_samples api": (0, 0)}),
        ("controller_manager_kill", {"bad_samples api": (0, 0)}),
        ("controller_manager_pause", {"bad_samples api": (0, 0)}),
        ("coredns_kill",
         {"bad_samples dns": (0, 31), "bad_samples web": (0, 0),
          "bad_samples asked": "there is no formula for the path dns",
          "bad_samples inside pod api": "there is no formula for the path cluster-ip"}),
        ("etcd_isolate", {"longest_outage_s api": (0, 7.5), "weighted_outage_s api": SHARE}),
        ("etcd_kill", {"longest_outage_s api": (0, 7.5)}),
        ("etcd_partition", {"longest_outage_s api": (0, 7.5), "weighted_outage_s api": SHARE}),
        ("etcd_pause", {"longest_outage_s api": (0, 7.5)}),
        ("etcd_quorum_loss",
         {"longest_outage_s cached": "there is no formula for the path apiserver"}),
        ("haproxy_drain_backend", {"bad_samples api": (0, 0)}),
        ("haproxy_kill", {"longest_outage_s api": (0.1, 2 + SKEW)}),
        ("haproxy_pause", {"longest_outage_s api": (1 + SKEW, 3 + SKEW)}),
        ("kubelet_stop", {"bad_samples api": (0, 0)}),
        ("nginx_kill", {"longest_outage_s api": (0.1, 2 + SKEW)}),
        ("nginx_pause", {"longest_outage_s api": (1 + SKEW, 3 + SKEW)}),
        ("node_isolate", {"longest_outage_s api": (2 + SKEW, 3 + SKEW)}),
        ("node_reboot", {"longest_outage_s api": (SKEW, 3.5 + SKEW)}),
        ("node_power_off", {"weighted_outage_s web": SHARE,
                            f"time_to_rescheduled_s {OWNER}": (45, 67)}),
        ("pod_kill", {"bad_samples web": (0, 61), "failed_share_pct web": SHARE,
                      f"time_to_rescheduled_s {OWNER}": (0, 8)}),
        ("pod_kill_seen_by_chaosk8s", {"bad_samples web": (0, 61), "failed_share_pct web": SHARE,
                                       f"time_to_rescheduled_s {OWNER}": (0, 8)}),
        ("scheduler_kill", {"bad_samples api": (0, 0)}),
        ("scheduler_pause", {"bad_samples api": (0, 0)}),
        ("vip_drop_holder", {"longest_outage_s api": (2 + SKEW, 3 + SKEW)}),
        ("vip_drop_kill", {"longest_outage_s api": (0, 0)}),
        ("vip_drop_pause", {"longest_outage_s api": (0, 0)}),
        ("vip_drop_stop", {"longest_outage_s api": (SKEW, SKEW)}),
        ("vip_isolate", {"longest_outage_s api": (2 + SKEW, 3 + SKEW)}),
        ("vrrp_block", {"longest_outage_s api": (0, 0)}),
        ("worker_drain", {"bad_samples web": (0, 0), "time_to_drained_s": (5, 31),
                          f"time_to_rescheduled_s {OWNER}": (0, 7)}),
    ],
)  # fmt: skip
def test_a_shipped_experiment(name: str, expected: dict[str, tuple[float, float] | str]) -> None:
    assert of_fault(name) == {
        key: bound if isinstance(bound, str) else pytest.approx(bound)
        for key, bound in expected.items()
    }


def test_the_table_above_is_whole() -> None:
    (mark,) = test_a_shipped_experiment.pytestmark  # type: ignore[attr-defined]
    assert {case[0] for case in mark.args[1]} == set(SHIPPED)


@pytest.mark.parametrize("path", sorted(EXPERIMENTS.rglob("controls/*.yaml")), ids=lambda p: p.stem)
def test_a_control_is_predicted_or_it_is_said_why_not(path: Path) -> None:
    experiment = read(f"controls/{path.stem}")
    if not experiment.faults:
        return
    for one in foretold(experiment):
        assert (one.low is None) == bool(one.reason)
        assert (one.low is None) != bool(one.formula)


def test_a_lease_is_predicted_where_the_target_holds_it() -> None:
    parts = {one.component: one for one in foretold(read("scheduler_kill")) if one.component}
    assert (parts["lease kube-scheduler"].low, parts["lease kube-scheduler"].high) == (13.0, 23.8)


def test_several_faults_at_once_are_not_predicted() -> None:
    one = read("vip_drop_holder")
    fault, undo = one.method
    assert is_alone(one)
    assert is_alone(one.model_copy(update={"method": (fault, undo, fault)}))
    both = one.model_copy(update={"method": (fault, fault, undo)})
    assert not is_alone(both)
    reasons = {found.reason for found in foretold(both)}
    assert reasons == {"several faults are on at once"}


@pytest.mark.parametrize("error", [NodeUnreachable, CommandTimeout])
def test_what_cannot_be_read_is_named_and_the_rest_is_predicted(
    error: Callable[..., Exception],
) -> None:
    nodes = paper_lab.transport()
    nodes.files = {name: files for name, files in nodes.files.items() if name != "cp2"}
    gone: Any = error("cp2", argv=texts_argv(), problem="no route")
    nodes.on(*texts_argv(), reply=Reply(error=gone), node="cp2")
    found = foretold(read("vip_drop_holder"), drivers=paper_lab.drivers(pods(), nodes=nodes))
    by_part = {one.component or one.what: one for one in found}
    for what in ("longest_outage_s", "vip"):
        assert by_part[what].low is None
        assert by_part[what].reason.startswith("cp2: no route")
    assert by_part["node"].low is None, "every controller manager may be the one that leads"
    drained = foretold(read("worker_drain"), drivers=paper_lab.drivers(pods(), nodes=nodes))
    assert drained[0].high == 0


def test_a_file_that_is_missing_or_damaged_is_named() -> None:
    nodes = paper_lab.transport()
    files = {name: dict(of_node) for name, of_node in nodes.files.items()}
    del files["cp1"][paper_lab.KEEPALIVED]
    files["cp3"][paper_lab.HAPROXY] = "backend a\n  timeout connect soon\n"
    nodes.files = files
    reading = read_cluster_facts(paper_lab.drivers(pods(), nodes=nodes), nodes=[])
    unread = reading.facts.unread
    assert unread["keepalived.conf of cp1"] == f"cp1 has no {paper_lab.KEEPALIVED} that can be read"
    assert unread["haproxy.cfg of cp3"].startswith("cp3: haproxy.cfg:2: ")
    assert set(unread) == {"keepalived.conf of cp1", "haproxy.cfg of cp3"}


def test_an_api_that_does_not_answer_fails_nothing() -> None:
    server = pods()
    server.down = True
    found = foretold(read("pod_kill"), drivers=paper_lab.drivers(server))
    assert found[0].reason.startswith("the pods of the service under watch: no API server answers")


def test_pods_that_are_not_there_are_not_taken_for_untouched() -> None:
    found = foretold(read("worker_drain"), drivers=paper_lab.drivers(MemoryServer()))
    by_what = {one.what: one.reason for one in found if one.during != "return"}
    assert by_what["bad_samples"] == "the pods of the service under watch: none is ready"
    assert by_what["time_to_drained_s"] == "no pod is known on the node that a drain would move"


def test_a_reading_is_one_command_a_node_and_changes_nothing() -> None:
    nodes, server = paper_lab.transport(), pods()
    read_cluster_facts(paper_lab.drivers(server, nodes=nodes), nodes=["w1"])
    reads = [call for call in nodes.calls if call.argv[:4] == texts_argv()]
    assert {call.argv[0] for call in nodes.calls if call not in reads} == {"systemctl"}
    asked = [call.node for call in reads]
    assert sorted(asked) == ["cp1", "cp2", "cp3", "w1"]
    assert {method for method, _ in server.asked} == {"GET"}


def test_what_is_predicted_is_of_the_configuration_that_is_there_now() -> None:
    nodes = paper_lab.transport()
    slow = {
        name: {path: text.replace("advert_int 1", "advert_int 3") for path, text in files.items()}
        for name, files in nodes.files.items()
    }
    nodes.files = slow
    whole = foretold(read("vip_drop_holder"), drivers=paper_lab.drivers(pods(), nodes=nodes))[0]
    assert (whole.low, whole.high) == pytest.approx((6 + SKEW, 9 + SKEW), abs=0.01)
    nobody = replace(FACTS, vip_holder="cp3")
    other = foretold(read("node_isolate"), facts=nobody)[0]
    assert other.formula != whole.formula


SHIPPED = sorted(path.stem for path in EXPERIMENTS.glob("*.yaml") if read(path.stem).faults)
"""An upgrade, which is awaited, puts nothing on that could be predicted."""


@pytest.mark.parametrize("name", SHIPPED)
def test_no_shipped_bound_is_below_what_the_lab_s_own_timers_permit(name: str) -> None:
    """Otherwise a cluster that does just what it is configured to do would be MISSED."""
    experiment = read(name)
    for one in foretold(experiment):
        if one.what != "longest_outage_s" or one.high is None:
            continue  # a number of samples is predicted much more coarsely
        (bound,) = {
            each.at_most
            for each in experiment.objectives
            if each.indicator == one.what and each.during == one.during and one.of == (each.of,)
        }
        assert one.high <= bound, one
