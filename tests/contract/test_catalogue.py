"""What every fault, arrangement and shipped experiment keeps to, whoever writes the next one."""

from __future__ import annotations

import inspect
import re
from collections import defaultdict
from pathlib import Path

import pytest
import yaml
from chaoslib.experiment import ensure_experiment_is_valid

import quorate.faults
from quorate.harness.drivers.bundle import Drivers
from quorate.harness.faults.catalogue import ARRANGEMENTS, FAULTS, STEPS, known_functions
from quorate.harness.faults.contract import Fault, Plan
from quorate.harness.model.cluster import HARNESS
from quorate.harness.model.verdict import State
from quorate.harness.run.fault_table import page
from quorate.harness.run.new_experiment import new_experiment
from quorate.harness.run.play import read_document, read_source
from quorate.harness.run.suite import Entry, Suite, read_suite
from quorate.harness.store.experiment_file import read_experiment
from quorate.harness.transport import MemoryTransport
from tests import paper_lab

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
FILES = sorted(path for path in EXPERIMENTS.rglob("*.yaml") if path.parent.name != "suites")
SUITES = sorted((EXPERIMENTS / "suites").glob("*.yaml"))

each_fault = pytest.mark.parametrize("fault", FAULTS.values(), ids=list(FAULTS))
each_file = pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])


@pytest.fixture
def drivers(fault: Fault) -> Drivers:
    """A cluster in health that answers everything, and does nothing that it is told; with Nginx for
    what is done to an Nginx."""
    return paper_lab.drivers(plan=paper_lab.plan_for(fault.name))


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
    """Not what waits for somebody's own upgrade: a game-day does none."""
    awaiting = [path for path in FILES if read_experiment(path).upgrade is not None]
    assert {path.name for path in awaiting} == {
        "upgrade_rolling.yaml",
        "upgrade_control_planes.yaml",
    }
    rest = {path.resolve() for path in FILES if path not in awaiting}
    assert rest == {one.file for one in played()}


def suite_of(name: str) -> Suite:
    return read_suite(EXPERIMENTS / "suites" / f"{name}.yaml")


def played() -> list[Entry]:
    """All that is shipped: no cluster has both HAProxy and Nginx."""
    return [*suite_of("full").entries, *suite_of("nginx").entries]


SHAPES = {
    "core_nginx": {"etcd_isolate", "etcd_partition"},
    "core_external_etcd": {"etcd_partition"},
}
"""The core suite of another topology → what such a cluster cannot bear (docs/topologies.md)."""


def test_every_suite_expects_the_same_of_an_experiment_and_plays_it_once() -> None:
    expected = {one.file: one.expect for one in played()}
    for path in SUITES:
        entries = read_suite(path).entries
        assert len({one.file for one in entries}) == len(entries), path
        if path.stem not in SHAPES:
            assert {one.file: one.expect for one in entries}.items() <= expected.items(), path


@pytest.mark.parametrize("name", SHAPES)
def test_a_core_suite_of_another_shape_is_core_but_for_what_that_cannot_bear(name: str) -> None:
    def expect(one: Entry) -> State:
        return State.MISSED if one.file.stem in SHAPES[name] else one.expect

    core = [(one.file, expect(one)) for one in suite_of("core").entries]
    assert [(one.file, one.expect) for one in suite_of(name).entries] == core


MISSION = {
    "kill API server nodes": {"apiserver_kill", "node_reboot", "node_power_off"},
    "partition etcd members": {"etcd_isolate", "etcd_partition"},
    "drain workers": {"worker_drain"},
    "drop the holder of the VIP": {"node_power_off", "node_reboot", "vip_drop"},
}


def test_the_core_suite_plays_each_fault_of_the_mission_twice_and_nothing_beyond() -> None:
    entries = suite_of("core").entries
    read = [read_experiment(one.file) for one in entries]
    assert len(entries) >= 8
    for what, functions in MISSION.items():
        times = [one for one in read if functions & {step.func for step in one.faults}]
        assert len(times) >= 2, what
    assert {one.expect for one in entries} == {State.MET, State.MISSED}, "controls are included"
    assert not any(one.beyond_tolerance for one in read)


def test_the_core_suite_fits_into_a_quarter_of_an_hour() -> None:
    """By what its experiments took on record, and a minute and a half for the lab."""
    took = defaultdict[str, list[float]](list)
    for line in (EXPERIMENTS.parent / "docs/evidence/experiments.md").read_text().splitlines()[2:]:
        cells = [cell.strip() for cell in line.split("|")]
        took[cells[5]].append(float(cells[11]))
    names = [one.file.relative_to(EXPERIMENTS.resolve()) for one in suite_of("core").entries]
    assert 90 + sum(max(took[str(name.with_suffix(""))]) for name in names) <= 15 * 60
