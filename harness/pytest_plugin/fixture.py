"""The fixture `quorate`: experiments, faults and samples in tests of people's own.

All of it is the same run as everywhere, with journal, guardian and judge; this only starts it, and
tells pytest what came of it.
"""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from quorate.harness.errors import Interrupted, QuorateError, UndoFailed, UsageError
from quorate.harness.model.verdict import State
from quorate.harness.pytest_plugin import arming
from quorate.harness.pytest_plugin.answers import Answer, Block, NoAnswer
from quorate.harness.run import by_hand, live, play, shipped
from quorate.harness.run.outcome import Outcome
from quorate.harness.run.progress import TextProgress
from quorate.harness.run.signals import Ending
from quorate.reports.failure import printable

Fields = Mapping[str, object]

PLAYED: pytest.StashKey[bool] = pytest.StashKey()
"""Whether a run went before in this session: what that broke may take a while to come back."""

DIRTY = "an undo failed, the cluster may still be faulted: run `quorate undo`"
INTERRUPTED = "interrupted by a signal; what was on has been taken off"

QUIET_S = 30.0
"""Between two lines of status: they are read afterwards, in a failure's report."""


class Quorate:
    """Of one test. Its runs are told in the test's report and as properties in a JUnit file."""

    def __init__(self, node: pytest.Item) -> None:
        self._node = node
        self._answers: list[Answer] = []
        self._open = False

    def run(self, experiment: str | Path) -> Answer:
        """Play an experiment: a path (from the test's folder, else where pytest was started), or
        the name of one that comes with quorate (`vip_drop_holder`).

        MISSED is an answer, and `assert_met` of it fails the test. NoAnswer where there is none.
        """
        __tracebackhide__ = True
        with self._alone():
            path = self._find(experiment)
            answer = Answer(path.stem)
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("default")  # the engine's are no errors of this test
                    outcome = play.play(path, options=self._options())
            except (QuorateError, KeyboardInterrupt, Ending) as error:
                self._refuse(answer, error)
                raise
            self._told(answer, outcome)
        return answer

    @contextlib.contextmanager
    def inject(
        self,
        fault: str,
        *,
        target: str,
        at_most_s: float = 60.0,
        plan: Fields | None = None,
        **arguments: object,
    ) -> Iterator[Block]:
        """A fault that is on, and proved to bite, while the block runs.

        Before it: a baseline. After it: the undo, until the cluster is whole (120 s at most), and
        the verdict. ``at_most_s``: how long the block may take; then what takes the fault off
        without us comes. ``plan``: probes, objectives, given, baseline_s, … in place of those that
        `quorate new FAULT` writes. ``arguments``: the fault's own (docs/faults.md).
        """
        __tracebackhide__ = True
        document = by_hand.injecting(
            fault, target=target, arguments=arguments, at_most_s=at_most_s, plan=plan or {}
        )
        with self._block(document, name=f"inject_{fault}") as block:
            yield block

    @contextlib.contextmanager
    def sample(
        self,
        probe: str | Mapping[str, Fields],
        *,
        at_most_s: float = 600.0,
        plan: Fields | None = None,
        **fields: object,
    ) -> Iterator[Block]:
        """What clients see while the block runs; nothing is broken. MET: there was no outage.

        ``probe``: a word of docs/probes.md with its ``fields`` (path, connection, rate_hz, …), or
        several as {name: {"probe": word, …}}. ``plan``: as in `inject`. Before the block a baseline
        of 300 samples is taken; ``at_most_s``: how long the block may take.
        """
        __tracebackhide__ = True
        default = {"connection": "new", "rate_hz": 20}
        if isinstance(probe, str):
            probes: dict[str, Fields] = {probe: {"probe": probe, **default, **fields}}
        else:
            probes = {name: {**default, **each, **fields} for name, each in probe.items()}
        document = by_hand.sampling(probes, at_most_s=at_most_s, plan=plan or {})
        with self._block(document, name="sample") as block:
            yield block

    def demand_looked_at(self) -> None:
        """AssertionError where an objective was missed and the test looked at no number of it."""
        for answer in self._answers:
            if not answer.looked_at and answer.verdict is not State.MET:
                raise AssertionError(
                    f"nobody looked at the verdict of {answer.name}\n{answer.text}"
                )

    @contextlib.contextmanager
    def _block(self, document: by_hand.Document, *, name: str) -> Iterator[Block]:
        __tracebackhide__ = True
        block, played = Block(name), by_hand.ByHand(self._options())
        with self._alone():
            try:
                with played.play(document, name=name) as run:
                    block.begin(run, played.injected)
                    yield block
            except BaseException as error:
                self._ended_by(error, block=block, outcome=played.outcome)
                raise
            finally:
                block.end()
            assert played.outcome is not None
            self._told(block, played.outcome)

    def _ended_by(self, error: BaseException, *, block: Block, outcome: Outcome | None) -> None:
        """Raises what the test is to see in the error's place, if that is not the error itself."""
        __tracebackhide__ = True
        ours = isinstance(error, QuorateError | KeyboardInterrupt | Ending)
        if outcome is None:
            self._refuse(block, error)
            return
        try:
            self._told(block, outcome)
        except NoAnswer as nothing:
            if ours:
                raise nothing from None
            if outcome.exit_code == UndoFailed.exit_code:
                raise nothing from error
            error.add_note(str(nothing))
        else:
            block.looked_at = True  # the error is what the test says
            error.add_note(f"{block.name}: {block.verdict}, run {block.directory}")

    def _refuse(self, answer: Answer, error: BaseException) -> None:
        __tracebackhide__ = True
        if isinstance(error, KeyboardInterrupt | Ending):
            self._stop(INTERRUPTED)
            raise NoAnswer(f"{answer.name}: no answer: {INTERRUPTED}") from None
        if isinstance(error, QuorateError):  # it says all there is to say
            if error.exit_code == UndoFailed.exit_code:
                self._stop(DIRTY)
            raise NoAnswer(printable(f"{answer.name}: no answer: {error}")) from None

    def _told(self, answer: Answer, outcome: Outcome) -> None:
        """What came of a run, for the test, its report and the session."""
        __tracebackhide__ = True
        if outcome.exit_code == UndoFailed.exit_code:
            self._stop(DIRTY)
        elif outcome.error == Interrupted.__name__:
            self._stop(INTERRUPTED)
        try:
            answer.take(outcome)
            self._answers.append(answer)
        finally:
            self._node.user_properties.extend(answer.properties())

    def _stop(self, why: str) -> None:
        self._node.session.shouldstop = f"quorate: {why}"

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        if arming.is_under_xdist(self._node.config):
            raise NoAnswer(arming.UNDER_XDIST)
        if self._open:
            raise UsageError("one run at a time: another one of this test is still going on")
        self._open = True
        try:
            yield
        finally:
            self._open = False

    def _find(self, experiment: str | Path) -> Path:
        path = Path(experiment)
        if isinstance(experiment, str) and path.suffix not in (".yaml", ".yml", ".json"):
            return shipped.find(experiment)
        places = (self._node.path.parent, self._node.config.invocation_params.dir)
        for place in places:
            if (place / path).is_file():
                return place / path
        told = " nor ".join(map(str, places))
        raise UsageError(f"no experiment {str(path)!r} in {told}")

    def _options(self) -> live.Options:
        armed = arming.of(self._node.config)
        stash = self._node.config.stash
        follows, stash[PLAYED] = stash.get(PLAYED, False), True
        progress = TextProgress(sys.stderr, quiet_s=QUIET_S)
        return live.Options(
            cluster=armed.cluster, runs=armed.runs, follows=follows, progress=progress
        )
