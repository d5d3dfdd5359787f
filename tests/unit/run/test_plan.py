"""`quorate plan`: what it says, and that it only asks."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from quorate.harness import cli
from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.files import covered_argv, texts_argv
from quorate.harness.drivers.nftables import LIST_ARGV, ROUTES
from quorate.harness.drivers.processes import TABLE_ARGV
from quorate.harness.drivers.rights import REVIEWS
from quorate.harness.faults.catalogue import FAULTS
from quorate.harness.model.experiment import Experiment
from quorate.harness.run import live
from quorate.harness.run import plan as planning
from quorate.harness.run.new_experiment import new_experiment
from quorate.harness.run.opening import Parts
from quorate.harness.run.plan import Planning, RunPlan
from quorate.harness.run.plan_text import plan_to_dict, render_plan
from quorate.harness.run.play import read_experiment, read_source
from quorate.harness.transport import Reply
from quorate.harness.undo.pending import PendingRuns
from tests import paper_lab
from tests.memory_api import MemoryServer, healthy

EXPERIMENTS = Path(__file__).parents[3] / "experiments"

READS = (
    texts_argv(),
    ("cat",),
    ("curl", "-sS", "--max-time"),
    ("ip", "-j", "addr"),
    ("systemctl", "show"),
    ("systemctl", "is-active"),
    ("systemd-run", "--version"),
    ("ctr", "-n", "k8s.io", "containers", "ls"),
    ("ctr", "-n", "k8s.io", "tasks", "ls"),
    ("sh", "-c", "command -v crictl || command -v ctr || true"),
    ("sh", "-c", 'command -v kubectl >/dev/null && test -r "$1"'),
    ("sh", "-c", ROUTES),
    covered_argv("")[:3],
    TABLE_ARGV,
    LIST_ARGV,
)
"""How the commands begin that planning may run on a node."""


def read(name: str) -> Experiment:
    return read_experiment(read_source(EXPERIMENTS / f"{name}.yaml"))


def planned(experiment: Experiment, tmp_path: Path, *, drivers: Drivers | None = None) -> RunPlan:
    asked = drivers or paper_lab.drivers()
    return Planning(experiment, drivers=asked, seed=1).plan(tmp_path)


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_planning_only_asks(name: str, tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_text(new_experiment(name, target="node:cp1"))
    plan = paper_lab.plan_for(name)
    nodes, server = paper_lab.transport(plan), healthy("cp1")
    drivers = paper_lab.drivers(server, nodes=nodes, plan=plan)
    experiment = read_experiment(read_source(file)).model_copy(update={"beyond_tolerance": True})
    made = planned(experiment, tmp_path, drivers=drivers)
    assert made.refusals == ()
    assert made.faults[0].ways.acts
    assert made.faults[0].ways.undos
    for call in nodes.calls:
        if call.argv[0] == "socat":
            assert call.stdin.startswith(b"show ")
        else:
            assert any(call.argv[: len(one)] == tuple(one) for one in READS), call.argv
    assert {one for one in server.asked if one[0] != "GET"} <= {("POST", REVIEWS)}, (
        "about ourselves"
    )
    assert list(tmp_path.iterdir()) == [file], "no lock, no registry, no run directory"


def test_what_is_told_of_a_fault(tmp_path: Path) -> None:
    made = planned(read("etcd_partition"), tmp_path)
    (fault,) = made.faults
    assert (made.exit_code, made.targets) == (0, {"etcd-leader": ("cp2",)})
    assert (made.facts.vip_holder, made.facts.etcd_leader) == ("cp1", "cp2")
    assert [undo.node for undo in fault.ways.undos] == ["cp3", "cp1"], "newest first"
    assert {one.node for one in fault.ways.switches} == {"cp1", "cp3"}
    assert {one.after_s for one in fault.ways.switches} == {fault.watched_s + 30.0}
    left = fault.arithmetic
    assert (left.members_left, left.members, left.members_needed) == (2, 3, 2)
    assert (left.servers_left, left.servers, left.servers_needed) == (2, 3, 1)
    text = render_plan(made)
    for told in (
        "etcd_partition on etcd-leader = cp2",
        "cp2: control-plane, etcd, load-balancer; leads etcd; holds the lease kube-controller-mana",
        "something is also put on cp1, cp3",
        "longest_outage_s:api:fault:1s at most 10",
        "Put on by",
        "reach one another: 2 of 3 (cut off: cp1 from cp2, cp2 from cp3); quorum needs 2",
        "longest_outage_s of api: 0.00 to 7.50 s (the slowest of: ",
        "time_to_whole_s: not predicted (",
        "delete the nft tables quorate_run_etcd_partition_1 on cp1",
        "85 s after it was armed: delete the nft tables",
        "nothing was changed",
    ):
        assert told in text


def test_machines_are_told_the_same(tmp_path: Path) -> None:
    made = json.loads(json.dumps(plan_to_dict(planned(read("vip_drop_holder"), tmp_path))))
    (fault,) = made["faults"]
    assert fault["nodes"] == ["cp1"]
    assert fault["predicted"][0]["low"] == pytest.approx(2.61, abs=0.01)
    assert "measured" not in fault["predicted"][0]
    assert made["bounds"]["longest_outage_s:api:fault:1s"] == 5
    assert fault["acts"] == [{"node": "harness", "argv": ["@power", "off", "cp1"]}]
    assert fault["without_harness"] == "the guardian; without it, `quorate undo` from any machine"
    assert fault["undos"][0]["argv"] == ["@power", "on", "cp1"]
    assert fault["left"]["servers_lost"] == ["cp1"]
    assert (made["refusals"], made["exit_code"]) == ([], 0)


def test_a_fault_whose_way_back_is_not_on_a_node_says_what_is(tmp_path: Path) -> None:
    text = render_plan(planned(read("vip_drop_holder"), tmp_path))
    assert "the guardian; without it, `quorate undo` from any machine" in text


def test_what_breaks_too_much_is_shown_and_refused(tmp_path: Path) -> None:
    within = read("etcd_quorum_loss").model_copy(update={"beyond_tolerance": False})
    made = planned(within, tmp_path)
    assert made.exit_code == 3
    assert "leaves 1 of 3 etcd members, quorum needs 2" in made.refusals[0]
    text = render_plan(made)
    assert "etcd members that reach one another: 1 of 3" in text
    assert "A run would be refused now" in text
    allowed = planned(read("etcd_quorum_loss"), tmp_path)
    assert (allowed.refusals, allowed.exit_code) == ((), 0)
    assert "beyond_tolerance: true" in render_plan(allowed)


def test_what_is_down_now_counts(tmp_path: Path) -> None:
    nodes = paper_lab.transport().on("curl", reply=Reply(returncode=7), node="cp3")
    made = planned(read("vip_drop_holder"), tmp_path, drivers=paper_lab.drivers(nodes=nodes))
    assert made.refusals[0] == "the cluster is not whole: the etcd member of cp3 is not well"
    assert "cp1, cp3 down leaves 1 of 3 etcd members" in made.refusals[1]


def test_what_a_run_would_be_refused_for_is_told(tmp_path: Path) -> None:
    nodes = paper_lab.transport().on("systemd-run", reply=Reply(returncode=127))
    registry = PendingRuns(tmp_path)
    registry.add(tmp_path / "runs" / "old")
    made = planned(read("etcd_pause"), tmp_path, drivers=paper_lab.drivers(nodes=nodes))
    assert len(made.refusals) == 2
    assert "quorate undo" in made.refusals[0]
    assert "no systemd-run" in made.refusals[1]
    assert made.faults[0].ways.undos == ()


def test_a_word_that_matches_nothing_is_refused(tmp_path: Path) -> None:
    experiment = read("vip_drop_stop")
    nodes = paper_lab.transport().on("ip", reply=Reply("[]"))
    made = planned(experiment, tmp_path, drivers=paper_lab.drivers(nodes=nodes))
    assert made.exit_code == 3
    assert "target 'vip-holder' matches no node" in made.refusals[0]
    assert "vip_drop on vip-holder = nobody yet" in render_plan(made)


def test_what_is_known_once_it_is_arranged_is_no_refusal(tmp_path: Path) -> None:
    server = MemoryServer({"/api/v1/nodes/w1": {"metadata": {"name": "w1"}, "spec": {}}})
    made = planned(read("pod_kill"), tmp_path, drivers=paper_lab.drivers(server))
    assert (made.refusals, made.exit_code) == ((), 0)
    assert "no pod of app=quorate-service" in made.later[0]
    assert "arranged first: service_deployed" in render_plan(made)


def test_the_seed_draws_the_same_target_as_a_run(tmp_path: Path) -> None:
    experiment = read("apiserver_kill")
    drawn = {
        seed: Planning(experiment, drivers=paper_lab.drivers(), seed=seed).plan(tmp_path).targets
        for seed in (1, 2, 3, 4, 5)
    }
    again = Planning(experiment, drivers=paper_lab.drivers(), seed=3).plan(tmp_path).targets
    assert drawn[3] == again
    assert len({str(one) for one in drawn.values()}) > 1


def test_nothing_is_broken_by_a_control_that_breaks_nothing(tmp_path: Path) -> None:
    assert "nothing is broken" in render_plan(planned(read("controls/nothing_happens"), tmp_path))


@pytest.fixture
def on_paper(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The command's cluster is the one on paper."""
    parts = Parts(
        state_dir=tmp_path / "state",
        enter=lambda cluster: None,
        connect=lambda cluster: paper_lab.drivers(),
    )
    found: Any = lambda path: Path("cluster.yaml")  # noqa: E731
    monkeypatch.setattr(live, "Options", partial(live.Options, parts=parts))
    for module in (planning, live):
        monkeypatch.setattr(module, "find_cluster", found)
    monkeypatch.setattr(planning, "read_cluster", lambda path: paper_lab.cluster())


def ended(*arguments: str) -> int:
    with pytest.raises(SystemExit) as end:
        cli.main(["plan", *arguments])
    assert isinstance(end.value.code, int)
    return end.value.code


@pytest.mark.usefixtures("on_paper")
def test_the_command(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = str(EXPERIMENTS / "etcd_isolate.yaml")
    assert ended(file, "--seed", "7") == 0
    assert "etcd_isolate on etcd-leader = cp2" in capfd.readouterr().out
    assert ended(file, "--json") == 0
    assert json.loads(capfd.readouterr().out)["targets"] == {"etcd-leader": ["cp2"]}
    broken = tmp_path / "broken.yaml"
    broken.write_text("title: x\n")
    assert ended(str(broken)) == 2
    assert "broken.yaml" in capfd.readouterr().err
    PendingRuns(tmp_path / "state").add(tmp_path / "old")
    assert ended(file) == 3
    assert "A run would be refused now" in capfd.readouterr().out
