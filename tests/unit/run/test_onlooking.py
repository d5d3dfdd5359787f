"""What is looked at meanwhile, and what becomes of the work."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import pytest

from quorate.harness.cluster.file import write_cluster
from quorate.harness.errors import SpecError, UsageError
from quorate.harness.model.cluster import Cluster
from quorate.harness.model.experiment import Experiment
from quorate.harness.run import live, onlooking
from quorate.harness.store.bounds_file import read_setting
from quorate.harness.verbs.watch import told_apart, watch


def read(look: onlooking.Look, cluster_file: Path | None = None) -> Experiment:
    """As a run would read it; SpecError where it is none."""
    document = look.document()
    return live.on_cluster(document, live.checked(document), cluster=cluster_file)[1]


@pytest.fixture
def cluster_file(cluster: Cluster, tmp_path: Path) -> Path:
    write_cluster(cluster, tmp_path / "cluster.yaml")
    return tmp_path / "cluster.yaml"


def test_the_api_is_asked_by_every_way(cluster: Cluster, cluster_file: Path) -> None:
    experiment = read(onlooking.at_cluster(at_most_s=600), cluster_file)
    servers = {f"server_{node.name}" for node in cluster.control_planes}
    assert set(experiment.probes) == {"api", "api_reused", "watch", *servers}
    judged = {name for name in experiment.bound_names if name.startswith("longest_outage_s")}
    assert len(judged) == len(experiment.probes)
    assert "not_whole_s:fault" in experiment.bound_names
    assert not experiment.faults


def test_a_bound_that_is_not_there_is_told_before_anything_is_asked(cluster_file: Path) -> None:
    options = live.Options(
        cluster=cluster_file, settings=(read_setting("longest_outage_s:api_cp9=3"),)
    )
    look = onlooking.at_cluster(at_most_s=600)
    with pytest.raises(
        SpecError, match=r"no experiment has, allowed: .*longest_outage_s:server_cp1"
    ):
        onlooking.look_on(look.document(), onlooking.Nothing(), name="watch", options=options)


def test_urls_are_asked_in_place_of_the_api() -> None:
    look = onlooking.at_urls(["https://shop.example/health", "http://b.example/"], at_most_s=300)
    experiment = read(look)
    assert set(experiment.probes) == {"url1", "url2"}


@pytest.mark.parametrize(
    ("words", "urls", "command"),
    [
        (["ansible-playbook", "up.yml"], [], ["ansible-playbook", "up.yml"]),
        (["https://a/", "HTTP://b/"], ["https://a/", "HTTP://b/"], []),
        (["https://a/", "--", "./roll.sh", "--now"], ["https://a/"], ["./roll.sh", "--now"]),
        (["https://a/", "./roll.sh", "--", "x"], ["https://a/"], ["./roll.sh", "--", "x"]),
        ([], [], []),
    ],
)
def test_urls_and_command_are_told_apart(
    words: list[str], urls: list[str], command: list[str]
) -> None:
    assert told_apart(words) == (urls, command)


def test_options_of_the_command_are_its_own() -> None:
    context = click.Context(watch)
    parser = watch.make_parser(context)
    options, _, _ = parser.parse_args(["--for", "30", "--", "tool", "--for", "5"])
    assert (options["for_s"], options["words"]) == ("30", ("tool", "--for", "5"))


def work(script: str) -> onlooking.Command:
    return onlooking.Command([sys.executable, "-c", script])


def over(command: onlooking.Command) -> None:
    command.start()
    assert command._process is not None
    command._process.wait()
    assert command.over()
    command.stop()


def test_a_command_that_failed_is_a_problem() -> None:
    good, bad = work("pass"), work("raise SystemExit(7)")
    over(good)
    over(bad)
    assert good.problem == ""
    assert "ended with status 7" in bad.problem


def test_a_command_that_is_not_over_is_told_to_end() -> None:
    command = work("import time; time.sleep(600)")
    command.start()
    assert not command.over()
    command.stop()
    assert command.over()
    assert "told to end" in command.problem


def test_a_command_that_is_not_there() -> None:
    with pytest.raises(UsageError, match=r"/nowhere/roll\.sh: No such file"):
        onlooking.Command(["/nowhere/roll.sh"]).start()


def test_its_secrets_are_not_in_its_title() -> None:
    assert "hunter2" not in onlooking.Command(["roll", "--password", "hunter2"]).title
