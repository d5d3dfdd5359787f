"""The sampler on a node: its own process there, its lines here, whatever becomes of the link."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from quorate.harness.errors import ProbeError, RefusedError
from quorate.harness.model.probe_plan import ProbePlan
from quorate.harness.model.timeline import control_of
from quorate.harness.sampling import far as far_module
from quorate.harness.sampling import node as node_module
from quorate.harness.sampling.node import NodeSampler
from quorate.harness.store.run_directory import RunDirectory
from quorate.harness.undo.execute import execute_with
from tests.contract.sampling.conftest import Server
from tests.contract.sampling.nodes import LocalNode, until

Make = Callable[..., ProbePlan]
WORD = "node:w1"
CONTROL = control_of(WORD)


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalNode]:
    (tmp_path / "node").mkdir()
    made = LocalNode(tmp_path / "node" / "quorate")
    monkeypatch.setattr(node_module, "BUFFERS", str(made.folder))
    yield made
    for pid in made.processes():
        os.kill(pid, signal.SIGKILL)


@pytest.fixture
def sampler(run: RunDirectory, node: LocalNode, plan: Make) -> NodeSampler:
    return NodeSampler(run, {"api": plan()}, vantage=WORD, mark="m-1", reach=(node, "w1"))


def lines(run: RunDirectory, probe: str = "api") -> list[dict[str, Any]]:
    file = run.samples_file(probe)
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def test_its_samples_come_while_it_runs_and_by_the_run_s_own_clock(
    run: RunDirectory, sampler: NodeSampler, node: LocalNode
) -> None:
    sampler.look()
    sampler.start(lasts_s=60.0)
    began = run.now()
    until(lambda: len(lines(run)) >= 50)
    assert sampler.heard() == pytest.approx(run.now(), abs=0.5)
    said = sampler.stop()
    assert said["complete"], said
    seen = lines(run)
    assert sorted(one["k"] for one in seen) == list(range(len(seen)))
    assert [one["o"] for one in seen].count("OK") > 0.9 * len(seen)
    assert began - 1.0 < seen[0]["due"] < began + 0.1
    assert lines(run, CONTROL), "its control probe is its own"
    clock = said["clock"]
    assert isinstance(clock, dict)
    # One machine, one clock: what was measured must not differ from nothing by more than it says.
    assert abs(clock["offset_s"]) <= clock["uncertainty_s"] < 0.1
    assert run.timeline().last("vantage_clock") is not None
    assert len(run.timeline().series["api"]) == len(seen)
    until(lambda: not node.processes())


def test_what_a_cut_link_kept_back_is_collected_afterwards(
    run: RunDirectory, sampler: NodeSampler, node: LocalNode
) -> None:
    sampler.start(lasts_s=60.0)
    until(lambda: len(lines(run)) >= 10)
    node.cut()
    time.sleep(0.3)
    before, heard = len(lines(run)), sampler.heard()
    time.sleep(1.5)
    assert len(lines(run)) == before, "nothing can come"
    assert sampler.heard() == heard
    node.mend()
    until(lambda: len(lines(run)) > before + 75)
    said = sampler.stop()
    assert said["complete"], said
    assert said["links_lost"]
    seen = lines(run)
    assert sorted(one["k"] for one in seen) == list(range(len(seen))), (
        "none is lost, none came twice"
    )
    assert [one["o"] for one in seen].count("OK") > 0.9 * len(seen)


def test_what_was_written_before_the_end_is_collected_when_the_link_comes_back_at_the_end(
    run: RunDirectory, sampler: NodeSampler, node: LocalNode
) -> None:
    sampler.start(lasts_s=2.0)
    node.cut()
    until(lambda: not node.processes())  # its own deadline, with nobody to tell it
    node.mend()
    said = sampler.stop()
    assert said["complete"], said
    assert len(lines(run)) == pytest.approx(100, abs=5), "two seconds at 50 Hz"
    assert sampler.feed.report["ended_by"] == "its deadline"


def test_what_died_with_the_node_is_missing(
    run: RunDirectory, sampler: NodeSampler, node: LocalNode
) -> None:
    sampler.start(lasts_s=60.0)
    until(lambda: len(lines(run)) >= 10)
    node.lose_power()
    node.mend()
    until(lambda: sampler.feed.problem)
    said = sampler.stop()
    assert not said["complete"]
    assert "started anew" in str(said["problem"])


def test_a_node_that_cannot_be_reached_at_the_end_is_given_up(
    run: RunDirectory, sampler: NodeSampler, node: LocalNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(far_module, "COLLECT_S", 0.1)
    monkeypatch.setattr(far_module, "STOP_MARGIN_S", 0.1)
    sampler.start(lasts_s=60.0)
    node.cut()
    said = sampler.stop()
    assert not said["complete"]
    assert "could not be reached" in str(said["problem"])


def test_a_sampler_that_dies_there_is_told(
    run: RunDirectory, sampler: NodeSampler, node: LocalNode
) -> None:
    sampler.start(lasts_s=60.0)
    for pid in node.processes():
        os.kill(pid, signal.SIGKILL)
    until(lambda: sampler.feed.problem)
    heard = sampler.heard()
    time.sleep(0.5)
    assert sampler.heard() == heard, "nothing is known of what comes after"
    assert "ended by itself" in str(sampler.stop()["problem"])


def test_lines_that_cannot_be_kept_here_are_told(
    run: RunDirectory, sampler: NodeSampler, node: LocalNode
) -> None:
    sampler.start(lasts_s=60.0)
    file = run.samples_file("api")
    until(file.exists)
    file.rename(file.with_suffix(".away"))
    file.mkdir()
    until(lambda: sampler.feed.problem)
    assert "IsADirectoryError" in str(sampler.stop()["problem"])


def test_its_undo_ends_it_and_is_harmless_before_and_twice(
    run: RunDirectory, sampler: NodeSampler, node: LocalNode
) -> None:
    (undo,) = sampler.undos()
    execute = execute_with(node)
    execute(undo)
    sampler.start(lasts_s=60.0)
    assert node.processes()
    assert (node.folder / "m-1").is_dir()
    looked = node.run("w1", undo.confirm_argv or ())
    assert looked.stdout == "there\n", "the confirmation can fail"
    execute(undo)
    execute(undo)
    assert not node.processes()
    assert not (node.folder / "m-1").exists()
    sampler.feed.stop(timeout_s=0.0)


def test_no_credential_is_written_on_the_node(
    run: RunDirectory, sampler: NodeSampler, node: LocalNode, pki: Path
) -> None:
    sampler.start(lasts_s=60.0)
    secret = (pki / "client.key").read_text().splitlines()[1]
    files = [path for path in node.folder.rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if secret in path.read_text()]
    sampler.stop()


def test_without_python_the_node_is_named(
    sampler: NodeSampler, node: LocalNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node_module, "PYTHON_MIN", (99, 0))
    with pytest.raises(RefusedError, match=r"w1 cannot ask probes \(from: node:w1\).*3\.8"):
        sampler.look()


def test_a_configuration_that_cannot_be_taken_is_told(
    run: RunDirectory, node: LocalNode, plan: Make
) -> None:
    wrong = plan(credentials=plan().credentials.__class__(ca_pem="no certificate"))
    sampler = NodeSampler(run, {"api": wrong}, vantage=WORD, mark="m-2", reach=(node, "w1"))
    with pytest.raises(ProbeError, match="w1: the sampler did not get to 'ticking'"):
        sampler.start(lasts_s=60.0)


def test_the_truth_of_an_outage_lies_in_what_a_node_saw(
    run: RunDirectory, sampler: NodeSampler, server: Server
) -> None:
    sampler.start(lasts_s=60.0)
    time.sleep(0.5)
    start, end = server.outage("refused", length_s=0.7)
    time.sleep(0.5)
    sampler.stop()
    # Those that nobody took; one that was under way when it began is bad too, however old.
    bad = [one["due"] for one in lines(run) if one.get("d") == "ECONNREFUSED"]
    base = run.base_ns / 1e9
    assert bad[0] == pytest.approx(start - base, abs=0.05)
    assert bad[-1] == pytest.approx(end - base, abs=0.05)
