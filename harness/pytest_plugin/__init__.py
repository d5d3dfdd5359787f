"""pytest plays experiments: `pytest experiments/ --quorate-cluster=FILE`; and a fixture `quorate`.

Every pytest of a machine that has quorate installed imports this file, whatever it tests: nothing
else of ours is imported here before it is used. What people need to know stands in docs/pytest.md.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from quorate.harness.pytest_plugin import arming

if TYPE_CHECKING:
    from quorate.harness.pytest_plugin.experiments import ExperimentFile, SuiteFile
    from quorate.harness.pytest_plugin.fixture import Quorate

EXPERIMENT_MARK = "quorate"
MAX_BYTES = 1_000_000
"""An experiment is a page; what is larger is some other file."""

_OURS = re.compile(rb"""module["']?\s*:\s*["']?quorate\.""")
"""What each experiment of ours has, and hardly any other file; also where `control` is misspelt."""
_SUITE = re.compile(rb"(?m)^experiments\s*:")

USED: pytest.StashKey[Quorate] = pytest.StashKey()
"""The fixture that a test was given."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup(
        "quorate", "quorate: is this Kubernetes cluster really highly available?"
    )
    group.addoption(
        "--quorate-cluster",
        metavar="FILE",
        help="cluster.yaml of the cluster to break; without it (nor $QUORATE_CLUSTER, nor "
        "quorate_cluster in the ini-file) experiments are skipped.",
    )
    group.addoption(
        "--quorate-runs",
        metavar="DIR",
        help="where runs are kept; else $QUORATE_RUNS, else runs/ where pytest was started.",
    )
    parser.addini("quorate_cluster", "cluster.yaml of the cluster to break", default="")
    parser.addini("quorate_runs", "where runs are kept", default="")


def pytest_configure(config: pytest.Config) -> None:
    text = (
        f"{EXPERIMENT_MARK}: breaks a cluster: an experiment, or a test with the fixture quorate."
    )
    config.addinivalue_line("markers", text)
    arming.refuse_at_start(config)


def pytest_report_header(config: pytest.Config) -> str | None:
    found = arming.of(config)
    return None if found.cluster is None else f"quorate: armed for {found.cluster}"


def pytest_collect_file(
    file_path: Path, parent: pytest.Collector
) -> ExperimentFile | SuiteFile | None:
    if file_path.suffix not in (".yaml", ".yml"):
        return None
    text = _text_of(file_path)
    # A suite plays what lies beside it once more, so it must be asked for.
    is_suite = parent.session.isinitpath(file_path) and _SUITE.search(text)
    if not is_suite and not _OURS.search(text):
        return None
    from quorate.harness.pytest_plugin.experiments import ExperimentFile, SuiteFile

    return (SuiteFile if is_suite else ExperimentFile).from_parent(parent, path=file_path)


def _text_of(path: Path) -> bytes:
    """Looked at without importing a YAML parser. A stored run's copy of its experiment is history,
    and what cannot be read is not ours."""
    try:
        if path.stat().st_size > MAX_BYTES or (path.parent / "run.json").exists():
            return b""
        return path.read_bytes()
    except OSError:
        return b""


@pytest.hookimpl(tryfirst=True)  # before -m chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "quorate" in getattr(item, "fixturenames", ()):
            item.add_marker(EXPERIMENT_MARK)


@pytest.fixture
def quorate(request: pytest.FixtureRequest) -> Quorate:
    """Plays experiments, puts faults on and samples, on the cluster that this session is armed for.

    `quorate.run("vip_drop_holder").assert_met()`; `with quorate.inject("etcd_isolate",
    target="etcd-leader") as fault:`; `with quorate.sample("api_quorum_read", path="vip") as seen:`.
    """
    armed = arming.of(request.config)
    if armed.reason:
        pytest.skip(armed.reason)
    from quorate.harness.pytest_plugin.fixture import Quorate

    request.node.stash[USED] = made = Quorate(request.node)
    return made


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """A test that looked at nothing of what came out must not pass by that."""
    result = yield
    if (used := item.stash.get(USED, None)) is not None:
        used.demand_looked_at()
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A run that answers nothing is an error, neither a failure of the cluster nor a pass.

    pytest and its JUnit file call errors what fails before the test itself, so it is moved there.
    Nor is it what an xfail mark expects: that a cluster misses its objectives can only be measured.
    """
    report = yield
    error = None if call.excinfo is None else call.excinfo.value
    if call.when == "call" and getattr(error, "answers_nothing", False):
        report.when, report.outcome = "setup", "failed"
        vars(report).pop("wasxfail", None)
    return report
