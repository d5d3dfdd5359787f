"""Experiment files as tests, in a pytest of their own; nothing is played for real."""

from __future__ import annotations

from pathlib import Path

import pytest

from quorate.harness.errors import RefusedError, UndoFailed
from quorate.harness.model.verdict import State
from quorate.harness.pytest_plugin import experiments
from quorate.harness.run.outcome import Outcome
from tests.unit.pytest_plugin.conftest import Player, Project, children, store

pytest_plugins = ["pytester"]


def test_each_experiment_is_a_test_and_other_yaml_is_left_alone(
    project: Project, player: Player
) -> None:
    project.ship("vip_drop_holder")
    project.ship("etcd_kill")
    others = {
        "values.yaml": "image: quorate.local/busybox:1\n",
        "broken.yaml": "{nothing: [of ours\n",
        "many.yaml": "a: 1\n---\nb: 2\n",
        "doc.yaml": "text: 'module: quorate.control is what it needs'\n",
        "other.yaml": "title: x\nmethod: []\ncontrols: [{provider: {module: mine.control}}]\n",
    }
    for name, text in others.items():
        (project.path / "experiments" / name).write_text(text)
    result = project.run("experiments")
    result.assert_outcomes(passed=2)
    assert sorted(player.played) == ["etcd_kill", "vip_drop_holder"]
    assert player.options[0].cluster == project.path / "cluster.yaml"
    assert player.options[0].runs == project.path / "runs"
    assert [one.follows for one in player.options] == [False, True], (
        "that takes a while to be whole"
    )
    assert [case.attrib["name"] for case in project.cases] == ["etcd_kill", "vip_drop_holder"]


def test_junit_has_every_indicator_as_a_property(project: Project) -> None:
    project.ship("vip_drop_holder")
    assert project.run("experiments").ret == 0
    found = project.properties
    about = "vip_drop_holder/longest_outage_s:api:fault:1s"
    assert found[about] == "2"
    assert (found[f"{about}.low"], found[f"{about}.high"]) == ("1.95", "2.05")
    assert (found[f"{about}.at_most"], found[f"{about}.state"]) == ("5", "MET")
    assert (found[f"{about}.predicted_low"], found[f"{about}.predicted_high"]) == ("1.2", "3.6")
    assert found["vip_drop_holder/verdict"] == "MET"
    assert Path(found["vip_drop_holder/run"]).is_dir()


def test_missed_is_a_failure_that_says_all(project: Project, player: Player) -> None:
    project.ship("vip_drop_holder")
    player.comes_to["vip_drop_holder"] = State.MISSED
    result = project.run("experiments")
    assert result.ret == 1
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "MISSED longest_outage_s of api during fault * = 6.25 s (6.20 to 6.30), at most 5 s",
            "  predicted: *1.20 to 3.60 s (3 × advert_int + skew)*",
            "  when: from 20.000 to 26.250 s of the run (20??-??-?? ??:??:?? to ??:??:?? UTC)",
            "run: *stored*vip_drop_holder*",
        ]
    )
    result.stdout.no_fnmatch_line("*assert_met*")
    assert [children(case) for case in project.cases] == [["failure"]]


def test_inconclusive_is_one_error_and_neither_pass_nor_skip(
    project: Project, player: Player
) -> None:
    project.ship("vip_drop_holder")
    player.comes_to["vip_drop_holder"] = State.INCONCLUSIVE
    result = project.run("experiments")
    assert result.ret == 1
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["INCONCLUSIVE prober: the sampler was blind"])
    assert [children(case) for case in project.cases] == [["error"]]
    assert project.properties["vip_drop_holder/verdict"] == "INCONCLUSIVE"


def test_a_refused_run_is_an_error(project: Project, player: Player) -> None:
    project.ship("vip_drop_holder")
    player.comes_to["vip_drop_holder"] = RefusedError("another run holds the lock")
    result = project.run("experiments")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["vip_drop_holder: no answer: another run holds the lock"])
    assert [children(case) for case in project.cases] == [["error"]]


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (Outcome(3, None, None, "a signal ended it", "Interrupted"), "interrupted by a signal"),
        (Outcome(4, None, None, "power: no", "UndoFailed"), "an undo failed"),
        (UndoFailed([("a", RefusedError("no"))], journal="j"), "an undo failed"),
    ],
)
def test_what_is_interrupted_or_dirty_stops_the_session(
    project: Project, player: Player, outcome: Outcome | BaseException, said: str
) -> None:
    for name in ("apiserver_kill", "etcd_kill", "vip_drop_holder"):
        project.ship(name)
    player.comes_to["etcd_kill"] = outcome
    result = project.run("experiments")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert player.played == ["apiserver_kill", "etcd_kill"]
    result.stdout.fnmatch_lines([f"*quorate: {said}*"])
    assert [children(case) for case in project.cases] == [[], ["error"]]
    if outcome == Outcome(4, None, None, "power: no", "UndoFailed"):
        result.stdout.fnmatch_lines(["AN UNDO FAILED*"])


def test_unarmed_they_are_skipped_with_the_reason(project: Project, player: Player) -> None:
    project.ship("vip_drop_holder")
    result = project.run("experiments", armed=False)
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED*not armed*--quorate-cluster=FILE*"])
    assert player.played == []


def test_an_upgrade_is_somebody_s_own_work(project: Project, player: Player) -> None:
    project.ship("etcd_kill")
    project.ship("upgrade_rolling")
    result = project.run("experiments")
    result.assert_outcomes(passed=1, skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED*`quorate upgrade`, or `quorate run` while you upgrade*"])
    assert player.played == ["etcd_kill"]
    (project.path / "suites").mkdir()
    entry = "{file: ../experiments/upgrade_rolling.yaml, expect: MET}"
    suite = project.path / "suites" / "mine.yaml"
    suite.write_text(f"format: 1\ntitle: Mine\nexperiments: [{entry}]\n")
    result = project.run("suites/mine.yaml")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*suite mine: upgrade_rolling.yaml waits for an upgrade*"])


def test_a_variable_and_the_ini_file_arm_too(
    project: Project, player: Player, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.ship("vip_drop_holder")
    (project.path / "pytest.ini").write_text("[pytest]\nquorate_cluster = cluster.yaml\n")
    project.run("experiments", armed=False).assert_outcomes(passed=1)
    monkeypatch.setenv("QUORATE_CLUSTER", str(project.path / "other.yaml"))
    project.run("experiments", armed=False).assert_outcomes(passed=1)
    assert [one.cluster and one.cluster.name for one in player.options] == [
        "cluster.yaml",
        "other.yaml",
    ]


def test_a_cluster_file_that_is_not_there_is_told_at_once(project: Project) -> None:
    project.ship("vip_drop_holder")
    result = project.run("experiments", "--quorate-cluster", "nowhere.yaml")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*nowhere.yaml: no such file*"])


def test_under_xdist_an_armed_session_is_refused(
    project: Project, player: Player, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.ship("vip_drop_holder")
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw0")
    result = project.run("experiments")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*one experiment at a time*pytest-xdist*"])
    project.run("experiments", armed=False).assert_outcomes(skipped=1)
    assert player.played == []


def test_so_it_is_by_the_option_of_xdist(project: Project, player: Player) -> None:
    project.ship("vip_drop_holder")
    project.pytester.makeconftest(
        "def pytest_addoption(parser):\n"
        "    parser.addoption('--numprocesses', type=int, dest='numprocesses')\n"
    )
    assert project.run("experiments", "--numprocesses=2").ret == pytest.ExitCode.USAGE_ERROR
    assert project.run("experiments", "--numprocesses=0").ret == 0


def test_where_only_a_variable_arms_other_tests_may_be_dealt_out(
    project: Project, player: Player, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.ship("vip_drop_holder")
    project.pytester.makepyfile("def test_mine():\n    pass\n")
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw0")
    monkeypatch.setenv("QUORATE_CLUSTER", "cluster.yaml")
    result = project.run(armed=False)
    result.assert_outcomes(passed=1, errors=1)
    assert player.played == []


@pytest.mark.parametrize(
    ("expression", "chosen"),
    [
        ("control-plane", ["etcd_kill", "vip_drop_holder"]),
        ("control-plane and not etcd", ["vip_drop_holder"]),
        ("not control-plane", ["pod_kill"]),
        ("quorate", ["etcd_kill", "pod_kill", "vip_drop_holder"]),
        ("not quorate", []),
    ],
)
def test_tags_are_markers(
    project: Project, player: Player, expression: str, chosen: list[str]
) -> None:
    for name in ("vip_drop_holder", "etcd_kill", "pod_kill"):
        project.ship(name)
    project.run("experiments", "-m", expression)
    assert player.played == chosen


def test_a_tag_that_would_mean_something_else_is_renamed(project: Project, player: Player) -> None:
    tags = "tags: [skip, xfail, 'my tag', _own, 'a:b(c)']"
    project.ship("etcd_kill", change=lambda text: text.replace("tags: [core, etcd", tags[:-1]))
    project.run("experiments", "-m", "tag_skip and tag_xfail and my_tag and tag_own and a_b_c_")
    assert player.played == ["etcd_kill"]
    assert experiments.marker_of("control-plane") == "control-plane"


def test_a_mistake_is_told_when_it_is_collected_armed_or_not(
    project: Project, player: Player
) -> None:
    project.ship("etcd_kill", change=lambda text: text.replace("etcd-leader", "etcd-lead"))
    bad = project.ship("vip_drop_holder", change=lambda text: text.replace("at_most: 5}", "at: 5}"))
    typo = project.ship(
        "vip_drop_kill", change=lambda text: text.replace("te.control", "te.contrl")
    )
    result = project.run("experiments", armed=False)
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines([f"{bad}:*objectives*", f"{typo}:*controls*quorate.contrl*"])
    assert player.played == []


def test_the_copy_in_a_run_directory_is_history(project: Project, player: Player) -> None:
    file = project.ship("etcd_kill")
    store(project.path / "runs", State.MET, file=file)
    project.run()
    assert player.played == ["etcd_kill"]


def test_what_a_cluster_says_steers_no_terminal(project: Project, player: Player) -> None:
    file = project.ship("etcd_kill")
    made = store(
        player.runs, State.INCONCLUSIVE, file=file, said="bad \x1b]0;title\x07 \u202e news"
    )
    player.comes_to["etcd_kill"] = Outcome(3, State.INCONCLUSIVE, made, "\x1b[2Jgone")
    result = project.run("experiments")
    assert "\x1b]0" not in result.stdout.str()
    assert "\x1b[2J" not in result.stdout.str()
    result.stdout.fnmatch_lines(["INCONCLUSIVE prober: bad *]0;title* news"])
    assert [children(case) for case in project.cases] == [["error"]]


SUITE = """\
format: 1
title: Mine
experiments:
  - {file: ../experiments/etcd_kill.yaml, expect: MET}
  - {file: ../experiments/etcd_pause.yaml, expect: MISSED}
  - {file: ../experiments/pod_kill.yaml, expect: INCONCLUSIVE}
"""


def suite_of(project: Project) -> None:
    for name in ("etcd_kill", "etcd_pause", "pod_kill"):
        project.ship(name)
    (project.path / "suites").mkdir(exist_ok=True)
    (project.path / "suites" / "mine.yaml").write_text(SUITE)


def test_a_suite_that_is_named_expects_what_it_says(project: Project, player: Player) -> None:
    suite_of(project)
    player.comes_to = {"etcd_pause": State.MISSED, "pod_kill": State.INCONCLUSIVE}
    project.run("suites/mine.yaml").assert_outcomes(passed=3)
    assert player.played == ["etcd_kill", "etcd_pause", "pod_kill"]
    assert project.properties["etcd_pause/verdict"] == "MISSED"


def test_what_a_suite_did_not_expect_fails(project: Project, player: Player) -> None:
    suite_of(project)
    player.comes_to = {"etcd_kill": State.MISSED, "pod_kill": State.MET}
    result = project.run("suites/mine.yaml")
    result.assert_outcomes(failed=3)
    result.stdout.fnmatch_lines(["MISSED was expected of this control"])
    result.stdout.fnmatch_lines(["INCONCLUSIVE was expected of this control"])


def test_an_interrupted_run_is_not_what_a_suite_expects(project: Project, player: Player) -> None:
    suite_of(project)
    project.ship("pod_kill")
    interrupted = Outcome(3, State.INCONCLUSIVE, None, "by a signal", "Interrupted")
    player.comes_to = {"etcd_pause": State.MISSED, "pod_kill": interrupted}
    result = project.run("suites/mine.yaml")
    result.assert_outcomes(passed=2, errors=1)
    assert result.ret == pytest.ExitCode.INTERRUPTED


def test_a_suite_that_is_not_named_plays_nothing_twice(project: Project, player: Player) -> None:
    suite_of(project)
    project.run("--collect-only", "-q")
    project.run().assert_outcomes(passed=3)
    assert sorted(player.played) == ["etcd_kill", "etcd_pause", "pod_kill"]
    (project.path / "suites" / "mine.yaml").write_text(SUITE.replace("etcd_kill", "nowhere"))
    result = project.run("suites/mine.yaml")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["*mine.yaml:4: *nowhere.yaml*no such file*"])


def test_runs_are_kept_where_pytest_was_started_wherever_the_cluster_is_described(
    project: Project, player: Player, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """pytest counts the option's value among the paths by which it finds its rootdir."""
    project.ship("etcd_kill")
    elsewhere = tmp_path_factory.mktemp("lab") / "cluster.yaml"
    elsewhere.write_text("")
    result = project.run("--quorate-cluster", str(elsewhere), armed=False)
    result.assert_outcomes(passed=1)
    assert player.options[0].cluster == elsewhere
    assert player.options[0].runs == project.path / "runs"
