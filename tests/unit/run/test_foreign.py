"""Activities of other packages in an experiment of ours: what they find, and what is kept of it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from quorate import control
from quorate.harness.errors import SpecError
from quorate.harness.run import live, play, shipped
from quorate.harness.run.surroundings import Surroundings

MIXED = "pod_kill_seen_by_chaosk8s"


@pytest.fixture
def notes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a live run is told to note."""
    found: list[str] = []

    def append_event(kind: str, *, text: str) -> None:
        found.append(f"{kind}: {text}")

    run: Any = SimpleNamespace(directory=SimpleNamespace(append_event=append_event))
    monkeypatch.setattr(live._live, "run", run)
    return found


def foreign(**more: Any) -> dict[str, Any]:
    return {"name": "pods", "provider": {"type": "python", "module": "chaosk8s.pod.probes"}} | more


def test_what_a_stranger_s_probe_found_stands_in_the_report(notes: list[str]) -> None:
    control.after_activity_control(foreign(), {"status": "succeeded", "output": 3})
    failed = {"status": "failed", "output": None, "exception": ["ActivityFailed: not there\n"]}
    control.after_activity_control(foreign(), failed)
    control.after_activity_control({"provider": {"type": "http"}}, {"status": "succeeded"})
    assert notes[0] == "data_note: pods: succeeded: 3"
    assert "pods: failed" in notes[1]
    assert "not there" in notes[1]
    assert notes[2] == "data_note: an activity: succeeded: None"


def test_of_much_little_is_kept_and_nothing_that_steers_a_terminal(notes: list[str]) -> None:
    state = {"status": "failed", "exception": "\x1b[2J\n" + "x" * 9000}
    control.after_activity_control(foreign(), state)
    assert len(notes[0]) < 400
    assert notes[0].isprintable()


def test_our_own_activities_say_it_themselves(notes: list[str]) -> None:
    ours = {"name": "undo", "provider": {"type": "python", "module": "quorate.faults"}}
    control.after_activity_control(ours, {"status": "succeeded", "output": {}})
    assert notes == []


def test_without_a_live_run_nothing_is_noted() -> None:
    control.after_activity_control(foreign(), {"status": "succeeded", "output": 3})


@pytest.mark.parametrize("before", ["elsewhere", None])
def test_strangers_are_led_to_the_run_s_cluster(
    monkeypatch: pytest.MonkeyPatch, before: str | None
) -> None:
    """chaosk8s reads $KUBECONFIG at each call."""
    from chaosk8s import get_config_path

    monkeypatch.delenv("KUBECONFIG", raising=False)
    if before:
        monkeypatch.setenv("KUBECONFIG", before)
    surroundings = Surroundings()
    surroundings.leave()
    assert os.environ.get("KUBECONFIG") == before
    surroundings.enter(Path("/lab/kubeconfig"))
    assert get_config_path() == "/lab/kubeconfig"
    surroundings.leave()
    surroundings.leave()
    assert os.environ.get("KUBECONFIG") == before


def test_a_shipped_experiment_mixes_them_in() -> None:
    read = play.read_experiment(play.read_source(shipped.find(MIXED)))
    kinds = [step.kind for step in read.method]
    assert kinds == ["foreign", "fault", "undo", "foreign"]
    assert {step.module.partition(".")[0] for step in read.method} == {"chaosk8s", "quorate"}


@pytest.mark.parametrize(
    ("secrets", "field"),
    [
        ({"k8s": "hunter2"}, "secrets.k8s"),
        ({"k8s": {"TOKEN": "hunter2"}}, "secrets.k8s.TOKEN"),
        ({"k8s": {"A": {"type": "env", "key": "A"}, "B": {"value": "hunter2"}}}, "secrets.k8s.B"),
        (["hunter2"], "secrets"),
    ],
)
def test_a_secret_that_would_be_copied_into_each_run_is_refused(secrets: Any, field: str) -> None:
    document = yaml.safe_load(shipped.find(MIXED).read_text())
    with pytest.raises(SpecError) as caught:
        play.read_experiment(_source({**document, "secrets": secrets}))
    assert caught.value.field == field
    assert "hunter2" not in str(caught.value).replace("['hunter2']", "")


def test_a_probe_that_would_be_asked_before_the_cluster_is_known_is_refused() -> None:
    document = yaml.safe_load(shipped.find(MIXED).read_text())
    provider = {"type": "python", "module": "chaosk8s.pod.probes", "func": "count_pods"}
    configuration = {"pods": {"type": "probe", "provider": provider}}
    with pytest.raises(SpecError, match="before the run's cluster is known"):
        play.read_experiment(_source({**document, "configuration": configuration}))


@pytest.mark.parametrize(
    "secrets",
    [
        {},
        {"k8s": {"KUBERNETES_CONTEXT": {"type": "env", "key": "KUBERNETES_CONTEXT"}}},
        {"k8s": {"type": "vault", "path": "foo/bar"}},
    ],
)
def test_a_reference_is_taken(secrets: Any) -> None:
    document = yaml.safe_load(shipped.find(MIXED).read_text())
    play.read_experiment(_source({**document, "secrets": secrets}))


def _source(document: Any) -> Any:
    return SimpleNamespace(file="x.yaml", text=yaml.safe_dump(document))


def test_a_client_that_was_imported_before_is_led_there_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = SimpleNamespace(KUBE_CONFIG_DEFAULT_LOCATION="~/.kube/config")
    monkeypatch.setitem(sys.modules, "kubernetes.config.kube_config", client)
    surroundings = Surroundings()
    surroundings.enter(Path("/lab/kubeconfig"))
    assert client.KUBE_CONFIG_DEFAULT_LOCATION == "/lab/kubeconfig"
    surroundings.leave()
    surroundings.leave()
    assert client.KUBE_CONFIG_DEFAULT_LOCATION == "~/.kube/config"
