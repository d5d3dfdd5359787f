"""Experiment files as tests: one file, one test, its tags as markers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from quorate.harness.errors import QuorateError
from quorate.harness.model.experiment import Experiment
from quorate.harness.model.verdict import State
from quorate.harness.pytest_plugin import EXPERIMENT_MARK, USED, arming
from quorate.harness.pytest_plugin.answers import NoAnswer
from quorate.harness.pytest_plugin.fixture import Quorate
from quorate.harness.run import play
from quorate.harness.run.suite import read_suite, refuse_upgrades

TAKEN = frozenset(
    {
        *("and", "or", "not", "None", "True", "False"),  # words of -m itself
        *("skip", "skipif", "xfail", "parametrize", "usefixtures", "filterwarnings", "timeout"),
        *("trylast", "tryfirst", "flaky", "xdist_group"),
    }
)
"""A tag of such a name would mean something else to pytest and its plugins."""

UPGRADE = (
    "it waits for an upgrade, which is somebody's own work: `quorate upgrade`, or `quorate run` "
    "while you upgrade"
)


class ExperimentFile(pytest.File):
    """An experiment, which is checked when it is collected, armed or not."""

    def collect(self) -> Iterator[ExperimentItem]:
        if not _is_experiment(self.path):
            return
        try:
            experiment = play.read_experiment(play.read_source(self.path))
        except QuorateError as error:
            raise self.CollectError(str(error)) from None
        yield ExperimentItem.from_parent(self, name=self.path.stem, experiment=experiment)


class SuiteFile(pytest.File):
    """A suite: each of its experiments must come to the verdict that it expects."""

    def collect(self) -> Iterator[ExperimentItem]:
        try:
            suite = read_suite(self.path)
            played = [play.read_experiment(play.read_source(one.file)) for one in suite.entries]
            refuse_upgrades(suite, played)
        except QuorateError as error:
            raise self.CollectError(str(error)) from None
        for entry, experiment in zip(suite.entries, played, strict=True):
            item = ExperimentItem.from_parent(self, name=entry.file.stem, experiment=experiment)
            item.file, item.expect = entry.file, entry.expect
            yield item


class ExperimentItem(pytest.Item):
    """Plays its experiment; passes where every objective is met, or what a suite expects comes."""

    def __init__(self, *, experiment: Experiment, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.experiment = experiment
        self.file, self.expect = self.path, State.MET
        self.add_marker(EXPERIMENT_MARK)
        for name in map(marker_of, experiment.tags):
            self.config.addinivalue_line("markers", f"{name}: tag of experiments.")
            self.add_marker(name)
        if reason := arming.of(self.config).reason or (experiment.upgrade and UPGRADE):
            self.add_marker(pytest.mark.skip(reason=reason))
        if self.config.pluginmanager.hasplugin("timeout"):
            # Each step has its own limit; one from outside would tear a run, and not shorten it.
            self.add_marker(pytest.mark.timeout(0))

    def runtest(self) -> None:
        self.stash[USED] = playing = Quorate(self)
        try:
            answer = playing.run(self.file)
        except NoAnswer as nothing:
            if self.session.shouldstop or nothing.verdict is not self.expect:
                raise
            return
        if self.expect is State.MET:
            answer.assert_met()
        elif answer.verdict is not self.expect:
            raise AssertionError(f"{self.expect} was expected of this control\n{answer.text}")

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Ours say all there is to say; a traceback through the engine says nothing."""
        if isinstance(excinfo.value, AssertionError | QuorateError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, 0, self.name  # a skip wants a line


def marker_of(tag: str) -> str:
    """A name by which -m can choose: letters, digits, _, -, + and . are kept."""
    name = re.sub(r"[^\w.+-]", "_", tag)
    return f"tag{'' if name.startswith('_') else '_'}{name}" if _is_unfit(name) else name


def _is_unfit(name: str) -> bool:
    return not name or name in TAKEN or name.startswith("_")


def _is_experiment(path: Path) -> bool:
    """Whether it is meant as one of ours; what is no YAML at all is told by the strict reader."""
    try:
        document = yaml.safe_load(path.read_bytes())
    except yaml.YAMLError:
        return True
    return isinstance(document, dict) and bool({"controls", "method"} & document.keys())
