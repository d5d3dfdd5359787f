"""The fixture `quorate` in a stranger's tests; nothing is played for real."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from quorate.harness.errors import RefusedError
from quorate.harness.model.verdict import State
from quorate.harness.pytest_plugin import fixture
from quorate.harness.run import by_hand, play, shipped
from quorate.harness.run.outcome import EXIT_CODES, Outcome
from quorate.harness.run.signals import CODE, Ending
from tests.unit.pytest_plugin.conftest import Player, Project, children, store

pytest_plugins = ["pytester"]


class Run:
    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def watch_until(self, until: str, *, at_most_s: float) -> bool:
        self._hand.said.append(f"until {until}")
        return True


class Hand:
    """Stands in for by_hand.ByHand: what blocks come to."""

    comes_to: State = State.MET
    exit_code: int | None = None
    refuses = False

    def __init__(self, runs: Path) -> None:
        self.said: list[str] = []
        self.documents: list[Any] = []
        self.runs = runs

    def __call__(self, options: Any) -> Any:
        made = SimpleNamespace(injected={"nodes": ["cp2"], "proof": "silent"}, outcome=None)

        @contextlib.contextmanager
        def play(document: Any, *, name: str) -> Iterator[Run]:
            self.documents.append(document)
            if self.refuses:
                raise RefusedError("not whole")
            ended = Outcome(self._code, self.comes_to, self._stored())
            try:
                yield Run(self)
            except (KeyboardInterrupt, SystemExit):
                ended = Outcome(3, self.comes_to, ended.directory, "by a signal", "Interrupted")
                raise
            finally:
                made.outcome = ended

        made.play = play
        return made

    @property
    def _code(self) -> int:
        return EXIT_CODES[self.comes_to] if self.exit_code is None else self.exit_code

    def _stored(self) -> Path:
        return store(self.runs, self.comes_to, file=shipped.find("vip_drop_holder"))


@pytest.fixture
def hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hand:
    made = Hand(tmp_path / "stored")
    monkeypatch.setattr(by_hand, "ByHand", made)
    return made


def inner(project: Project, body: str) -> pytest.RunResult:
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    more = "def test_after():\n    pass\n"
    project.pytester.makepyfile(f"import pytest\ndef test_mine(quorate):\n{lines}\n{more}")
    return project.run()


def test_a_shipped_experiment_is_played_by_its_name(project: Project, player: Player) -> None:
    result = inner(
        project,
        "answer = quorate.run('vip_drop_holder')\n"
        "answer.assert_met()\n"
        "assert answer.verdict == 'MET'\n"
        "assert answer.indicators['longest_outage_s'].value == 2\n"
        "assert answer.indicators['longest_outage_s:api:fault:1s'].bound == 5\n"
        "assert len(answer.indicators) == 1\n"
        "assert answer.directory.is_dir()\n"
        "with pytest.raises(KeyError, match='names 0 of longest_outage_s:api'):\n"
        "    answer.indicators['outages']",
    )
    result.assert_outcomes(passed=2)
    assert project.properties["vip_drop_holder/longest_outage_s:api:fault:1s"] == "2"


def test_a_path_counts_from_the_test_then_from_where_pytest_was_started(
    project: Project, player: Player
) -> None:
    project.ship("etcd_kill", to="mine")
    (project.path / "pytest.ini").write_text("[pytest]\n")
    folder = project.path / "staging"
    folder.mkdir()
    text = (
        "import pytest\n"
        "def test_mine(quorate):\n"
        "    quorate.run('mine/etcd_kill.yaml').assert_met()\n"
        "    quorate.run('../mine/etcd_kill.yaml').assert_met()\n"
        "    with pytest.raises(Exception, match='no experiment .* nor '):\n"
        "        quorate.run('nowhere.yaml')\n"
        "    with pytest.raises(Exception, match='there are .*vip_drop_holder'):\n"
        "        quorate.run('nowhere')\n"
    )
    (folder / "test_it.py").write_text(text)
    project.run("staging").assert_outcomes(passed=1)
    assert player.played == ["etcd_kill", "etcd_kill"]


def test_missed_is_an_answer_and_fails_where_it_is_asserted(
    project: Project, player: Player
) -> None:
    player.comes_to["vip_drop_holder"] = State.MISSED
    inner(project, "assert quorate.run('vip_drop_holder').verdict == 'MISSED'").assert_outcomes(
        passed=2
    )
    result = inner(project, "quorate.run('vip_drop_holder').assert_met()")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*MISSED longest_outage_s of api*at most 5 s"])


def test_a_missed_objective_that_nobody_looks_at_fails(project: Project, player: Player) -> None:
    player.comes_to["vip_drop_holder"] = State.MISSED
    result = inner(project, "quorate.run('vip_drop_holder')")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*nobody looked at the verdict of vip_drop_holder*"])
    assert [children(case) for case in project.cases] == [["failure"], []]


def test_no_answer_is_one_error(project: Project, player: Player) -> None:
    player.comes_to["vip_drop_holder"] = State.INCONCLUSIVE
    result = inner(project, "quorate.run('vip_drop_holder')")
    result.assert_outcomes(passed=1, errors=1)
    assert [children(case) for case in project.cases] == [["error"], []]
    assert project.properties["vip_drop_holder/verdict"] == "INCONCLUSIVE"


def test_an_xfail_mark_waits_for_missed_and_not_for_no_answer(
    project: Project, player: Player
) -> None:
    player.comes_to = {"etcd_kill": State.MISSED, "etcd_pause": State.INCONCLUSIVE}
    project.pytester.makepyfile(
        "import pytest\n"
        "@pytest.mark.xfail(strict=True)\n"
        "@pytest.mark.parametrize('name', ['etcd_kill', 'etcd_pause'])\n"
        "def test_mine(quorate, name):\n"
        "    quorate.run(name).assert_met()\n"
    )
    project.run().assert_outcomes(xfailed=1, errors=1)
    assert [children(case) for case in project.cases] == [["skipped"], ["error"]]


def test_a_warning_of_the_engine_is_no_error_of_a_strict_project(
    project: Project, player: Player, monkeypatch: pytest.MonkeyPatch
) -> None:
    def play_old(path: Path, *, options: Any) -> Outcome:
        warnings.warn("the engine uses something old", DeprecationWarning, stacklevel=1)
        return player.play(path, options=options)

    monkeypatch.setattr(play, "play", play_old)
    (project.path / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    result = inner(project, "quorate.run('etcd_kill').assert_met()")
    result.assert_outcomes(passed=2, warnings=1)


@pytest.mark.parametrize("how", [Ending(CODE), KeyboardInterrupt()])
def test_a_signal_that_gets_past_the_engine_stops_the_session(
    project: Project, player: Player, how: BaseException
) -> None:
    player.comes_to["vip_drop_holder"] = how
    result = inner(project, "quorate.run('vip_drop_holder')")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.assert_outcomes(errors=1)
    assert [children(case) for case in project.cases] == [["error"]]


def test_unarmed_a_test_with_the_fixture_is_skipped(project: Project, player: Player) -> None:
    project.pytester.makepyfile("def test_mine(quorate):\n    quorate.run('vip_drop_holder')\n")
    project.run(armed=False).assert_outcomes(skipped=1)
    project.run("-m", "not quorate").assert_outcomes(deselected=1)


def test_a_block_runs_while_the_fault_is_on(project: Project, hand: Hand) -> None:
    result = inner(
        project,
        "with quorate.inject('etcd_isolate', target='etcd-leader', at_most_s=20) as fault:\n"
        "    assert fault.nodes == ('cp2',)\n"
        "    assert fault.proof == 'silent'\n"
        "    assert fault.watch_until('recovered')\n"
        "    with pytest.raises(Exception, match='is not over'):\n"
        "        fault.verdict\n"
        "    with pytest.raises(Exception, match='one run at a time'):\n"
        "        quorate.run('vip_drop_holder')\n"
        "fault.assert_met()\n"
        "with pytest.raises(Exception, match='the block is over'):\n"
        "    fault.watch_until('recovered')",
    )
    result.assert_outcomes(passed=2)
    assert hand.said == ["until recovered"]
    arguments = hand.documents[0]["method"][0]["provider"]["arguments"]
    assert (arguments["target"], arguments["at_most_s"]) == ("etcd-leader", 20)
    assert project.properties["inject_etcd_isolate/verdict"] == "MET"


def test_what_a_block_asserts_is_what_the_test_says(project: Project, hand: Hand) -> None:
    hand.comes_to = State.MISSED
    result = inner(
        project,
        "with quorate.inject('etcd_kill', target='etcd-leader'):\n    assert 1 == 2, 'mine'",
    )
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*AssertionError: mine*", "*inject_etcd_kill: MISSED, run *"])
    assert project.properties["inject_etcd_kill/verdict"] == "MISSED"


@pytest.mark.parametrize("how", ["KeyboardInterrupt", "SystemExit(20)"])
def test_a_signal_in_a_block_is_an_error_and_stops_the_session(
    project: Project, hand: Hand, how: str
) -> None:
    hand.comes_to = State.INCONCLUSIVE
    if how.startswith("SystemExit"):
        how = "__import__('quorate.harness.run.signals', fromlist=['x']).Ending(20)"
    result = inner(
        project, f"with quorate.inject('etcd_kill', target='etcd-leader'):\n    raise {how}"
    )
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*quorate: interrupted by a signal*"])


def test_an_undo_that_failed_outranks_the_test_s_own_error(project: Project, hand: Hand) -> None:
    hand.exit_code = 4
    result = inner(
        project,
        "with quorate.inject('etcd_kill', target='etcd-leader'):\n    assert 1 == 2, 'mine'",
    )
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*AN UNDO FAILED*"])


def test_a_block_that_could_not_begin_is_an_error(project: Project, hand: Hand) -> None:
    hand.refuses = True
    result = inner(
        project, "with quorate.sample('api_quorum_read', path='vip'):\n    assert 1 == 2, 'mine'"
    )
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*sample: no answer: not whole"])


def test_probes_are_named_as_the_test_likes(project: Project, hand: Hand) -> None:
    inner(
        project,
        "with quorate.sample('api_quorum_read', path='vip', rate_hz=40) as seen:\n"
        "    pass\n"
        "seen.assert_met()\n"
        "both = {'a': {'probe': 'api_quorum_read', 'path': 'vip', 'connection': 'reused'},\n"
        "        'b': {'probe': 'api_cached_read', 'path': 'haproxy'}}\n"
        "with quorate.sample(both) as seen:\n"
        "    pass\n"
        "assert seen.verdict == 'MET'",
    ).assert_outcomes(passed=2)
    first, second = (one["extensions"][0] for one in hand.documents)
    asked = {"probe": "api_quorum_read", "path": "vip", "connection": "new", "rate_hz": 40}
    assert first["probes"] == {"api_quorum_read": asked}
    assert second["probes"]["a"]["connection"] == "reused"
    assert second["probes"]["b"]["rate_hz"] == 20


def test_the_fixture_s_own_class_is_what_people_are_given() -> None:
    assert fixture.Quorate.run.__doc__
    assert set(shipped.names()) > {"vip_drop_holder", "controls/nothing_happens"}
    assert not [name for name in shipped.names() if name.startswith("suites")]
