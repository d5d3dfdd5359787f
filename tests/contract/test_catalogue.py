"""What every fault, arrangement and shipped experiment keeps to, whoever writes the next one."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest
import yaml
from chaoslib.experiment import ensure_experiment_is_valid

import quorate.faults
from quorate.harness.drivers.bundle import Drivers
from quorate.harness.faults.catalogue import ARRANGEMENTS, FAULTS, STEPS, known_functions
from quorate.harness.faults.contract import Fault, Plan
from quorate.harness.model.cluster import HARNESS
from quorate.harness.run.fault_table import page
from quorate.harness.run.new_experiment import new_experiment
from quorate.harness.run.play import read_document, read_source
from quorate.harness.run.suite import read_suite
from quorate.harness.transport import MemoryTransport
from tests import paper_lab

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
FILES = sorted(path for path in EXPERIMENTS.rglob("*.yaml") if path.parent.name != "suites")
SUITES = sorted((EXPERIMENTS / "suites").glob("*.yaml"))

each_fault = pytest.mark.parametrize("fault", FAULTS.values(), ids=list(FAULTS))
each_file = pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])


@pytest.fixture
def drivers() -> Drivers:
    """A cluster in health that answers everything, and does nothing that it is told."""
    return paper_lab.drivers()


def planned(fault: Fault, drivers: Drivers) -> Plan:
    arguments = {one.name: one.default for one in fault.parameters}
    before = fault.prepare(drivers, nodes=["cp1"], arguments=arguments)
    return Plan(f"{fault.name}-1", ("cp1",), arguments=arguments, before=before)


@each_fault
def test_a_fault_is_named_and_explained(fault: Fault) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)+", fault.name)
    assert type(fault).__module__.endswith(f".faults.{fault.name}"), "one fault, one file"
    for text in (fault.summary, fault.acts_by, fault.proved_by, fault.undone_by):
        assert len(text) > 10
    assert fault.without_harness
    arguments = {one.name: one.default for one in fault.parameters}
    assert fault.touch(arguments) is not None, "without it nothing is predicted"


@each_fault
def test_a_fault_has_its_way_back_as_data(fault: Fault, drivers: Drivers) -> None:
    plan = planned(fault, drivers)
    undos = fault.undos(drivers, plan=plan)
    assert undos
    assert len({undo.id for undo in undos}) == len(undos)
    for undo in undos:
        assert undo.injection == plan.injection
        assert undo.id.startswith(f"{plan.injection}:")
        assert undo.node in {HARNESS, "cp1", "cp2", "cp3"}
        assert undo.confirm_argv is not None, "an exit code alone shows nothing"


@each_fault
def test_preparing_and_planning_change_nothing(fault: Fault, drivers: Drivers) -> None:
    plan = planned(fault, drivers)
    fault.undos(drivers, plan=plan)
    acts = fault.acts(drivers, plan=plan)
    transport = drivers.transport
    assert isinstance(transport, MemoryTransport)
    asked = {call.argv for call in transport.calls}
    assert acts
    assert not asked & {act.argv for act in acts}


@each_fault
def test_where_nothing_was_done_nothing_is_proved(fault: Fault, drivers: Drivers) -> None:
    """The cluster is as it was: the act was `true`."""
    plan = planned(fault, drivers)
    assert not fault.proof(drivers, plan=plan).ok
    assert not fault.undone(drivers, plan=plan).ok, "what never was on cannot be shown to be over"


@each_fault
def test_a_fault_has_an_experiment(fault: Fault) -> None:
    used = [
        step["provider"]["func"]
        for path in FILES
        for step in yaml.safe_load(path.read_text())["method"]
    ]
    assert fault.name in used


def test_every_file_in_the_folder_is_in_the_catalogue() -> None:
    folder = EXPERIMENTS.parent / "harness" / "faults"
    kept = {"__init__", "catalogue", "contract"}
    assert {path.stem for path in folder.glob("*.py")} - kept == set(FAULTS)
    arranged = {path.stem for path in (folder / "arrangements").glob("*.py")} - {"__init__"}
    assert arranged == set(ARRANGEMENTS)


def test_activities_are_real_functions_with_the_catalogue_s_arguments() -> None:
    functions = dict(inspect.getmembers(quorate.faults, inspect.isfunction))
    assert set(functions) == {*FAULTS, *STEPS}
    for name, arguments in known_functions().items():
        assert list(inspect.signature(functions[name]).parameters) == list(arguments)
        assert functions[name].__doc__
    with pytest.raises(TypeError):
        functions["node_power_off"](target="x", no_such_argument=1)


def test_the_table_of_faults_is_current() -> None:
    told = (EXPERIMENTS.parent / "docs" / "faults.md").read_text()
    assert told == page(), "python -m quorate.harness.run.fault_table > docs/faults.md"


@each_fault
def test_a_new_experiment_is_valid_as_it_is_written(fault: Fault, tmp_path: Path) -> None:
    path = tmp_path / "new.yaml"
    path.write_text(new_experiment(fault.name, target="vip-holder"))
    document = read_document(read_source(path))
    ensure_experiment_is_valid(document)
    assert document["method"][0]["provider"]["func"] == fault.name


@each_file
def test_the_strict_reader_and_the_engine_accept_it(path: Path) -> None:
    ensure_experiment_is_valid(read_document(read_source(path)))


@pytest.mark.parametrize("path", SUITES, ids=[path.stem for path in SUITES])
def test_a_suite_lists_files_that_are_there(path: Path) -> None:
    suite = read_suite(path)
    assert all(entry.file in {file.resolve() for file in FILES} for entry in suite.entries)


def test_every_control_is_played_by_a_suite() -> None:
    played = {entry.file for path in SUITES for entry in read_suite(path).entries}
    assert {path.resolve() for path in FILES} <= played
