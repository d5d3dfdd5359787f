"""The ledger of a run: registers made, written and read while it lasts, and read back at its end.

On in every run: a writer by way of the VIP and one through each API server, each with a register of
its own, and a reader through each API server; a probe `api_write` of the experiment has registers
too. What they told lies in the samples, on the harness' disk; judge/data_safety.py says what it
shows. The registers are ConfigMaps in kube-system, labelled with the run's mark: in a namespace of
their own they would stay until a controller manager has removed it.
"""

from __future__ import annotations

import math
from functools import partial

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.kube_api import NONE_LEFT
from quorate.harness.errors import SpecError
from quorate.harness.faults.contract import mark_of
from quorate.harness.model.cluster import HARNESS, Cluster, Role
from quorate.harness.model.experiment import Experiment
from quorate.harness.model.marks import LABEL
from quorate.harness.model.probe_plan import ClientCredentials, ProbePlan
from quorate.harness.model.probe_spec import ProbeSpec
from quorate.harness.model.register import READER, WRITER, Register
from quorate.harness.model.timeline import BESIDE_HARNESS
from quorate.harness.model.undo import Undo
from quorate.harness.run.read_back import compare_members, longest_advert, read_registers
from quorate.harness.run.request import Request
from quorate.harness.store.run_directory import RunDirectory
from quorate.probes.catalogue import plan_probe

INJECTION = "ledger"
CONFIG_MAPS = "/api/v1/namespaces/kube-system/configmaps"

WRITE_HZ = 1.0
"""Of each writer: at this rate a write has missed its deadline of 1 s when the next one is due."""

READ_HZ = 2.0
"""Of each reader, its registers in turn."""

REGISTERS_MAX = 100
"""Of one probe: they are made before the baseline, one by one."""


def registers_needed(experiment: Experiment, probe: str) -> int:
    """How many a probe that writes takes in turn, so that a write whose register's turn has come
    again has missed every deadline that it is judged by."""
    longest_s = experiment.deadlines_s(probe)[-1]
    return math.ceil(experiment.probes[probe].rate_hz * longest_s)


def check_registers(experiment: Experiment) -> None:
    """SpecError where a probe writes so often that it would need too many registers, or from afar:
    the order of reads and writes is told by one clock."""
    for name in _writing(experiment):
        if (vantage := experiment.probes[name].vantage) != BESIDE_HARNESS:
            raise SpecError(
                None,
                field="extensions",
                found=f"probe {name}, which writes from: {vantage}",
                allowed=f"from: {BESIDE_HARNESS} for api_write",
            )
        number = registers_needed(experiment, name)
        if number > REGISTERS_MAX:
            raise SpecError(
                None,
                field="extensions",
                found=f"probe {name}, whose rate and deadlines take {number} registers",
                allowed=f"at most {REGISTERS_MAX}: rate_hz times the longest deadline_s",
            )


def _writing(experiment: Experiment) -> list[str]:
    return [name for name, spec in experiment.probes.items() if spec.probe == "api_write"]


class Ledger:
    """The registers of one run."""

    def __init__(self, directory: RunDirectory, *, request: Request, drivers: Drivers) -> None:
        self._directory = directory
        self._cluster = request.cluster
        self._drivers = drivers
        self._unit = f"quorate-{mark_of(directory.run_id, INJECTION)}"
        self._ways = _ways(request.cluster)
        self._probes = request.experiment.probes
        experiment = request.experiment
        writers = [name for name in self._ways if name.startswith(WRITER)]
        for name in _writing(experiment):
            writers += [name] * registers_needed(experiment, name)
        self._registers = tuple(
            self._register(str(number), writer) for number, writer in enumerate(writers, start=1)
        )
        self._made = False

    def _register(self, name: str, writer: str) -> Register:
        meta = {
            "name": f"{self._unit}-{name}",
            "namespace": "kube-system",
            "labels": {LABEL: self._unit},
        }
        return Register(
            name=name,
            writer=writer,
            path=f"{CONFIG_MAPS}/{meta['name']}",
            body={"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta},
            values=f"{self._directory.run_id[-4:]}.{name}.",
        )

    def declare(self) -> None:
        """Write down what is to be kept, before anything else: without it nothing is judged."""
        self._directory.append_event(
            "ledger_declared",
            registers={one.name: one.writer for one in self._registers},
            balancers=[node.name for node in self._cluster.with_role(Role.LOAD_BALANCER)],
            members=[node.name for node in self._cluster.with_role(Role.ETCD)],
        )

    def undo(self) -> Undo:
        """The removal of all registers, whichever were made. Journal it before `make`."""
        commands = self._drivers.kube_commands
        return Undo(
            id=f"{INJECTION}:registers",
            injection=INJECTION,
            node=HARNESS,
            argv=commands.delete_labelled(CONFIG_MAPS, mark=self._unit),
            confirm_argv=commands.show_labelled(CONFIG_MAPS, mark=self._unit),
            confirm_expect=NONE_LEFT,
            text=f"remove the ConfigMaps kube-system/{self._unit}-…",
        )

    def make(self) -> None:
        """Make the registers. DriverError where the API takes none."""
        rows = []
        for one in self._registers:
            given = {**one.body, "data": {"value": one.initial}}
            # No server-side apply: one that is carried out late would take writes back.
            made = self._drivers.api.create(CONFIG_MAPS, given)
            version = str(made["metadata"]["resourceVersion"])
            rows.append({"name": one.name, "value": one.initial, "version": version})
        self._directory.append_event("ledger_made", registers=rows)
        self._made = True

    def written_by(self, probe: str) -> tuple[Register, ...]:
        """The registers of one probe, in the order in which it writes them."""
        return tuple(one for one in self._registers if one.writer == probe)

    def registers_for(self, probe: str) -> tuple[Register, ...]:
        """Those that a probe of the experiment needs: all for one that watches them, else those
        that it writes."""
        watches = self._probes[probe].probe == "api_watch"
        return self._registers if watches else self.written_by(probe)

    def plans(self, credentials: ClientCredentials) -> dict[str, ProbePlan]:
        """The run's own writers and readers; a reader reads what the run's own writers write."""
        own = tuple(one for one in self._registers if one.writer in self._ways)
        plan = partial(plan_probe, cluster=self._cluster, credentials=credentials)
        return {
            name: plan(spec, registers=self.written_by(name) or own)
            for name, spec in self._ways.items()
        }

    def read_back(self) -> None:
        """What is in the registers, what etcd's members hold, and how long an advert takes here:
        written down as events, with what could not be asked. Nothing where nothing was made."""
        if not self._made:
            return
        told = read_registers(self._drivers, self._registers, now=self._directory.now)
        self._directory.append_event("ledger_read_back", reads=told)
        members = [node.name for node in self._cluster.with_role(Role.ETCD)]
        if members:
            hashes = compare_members(self._drivers.etcd, members, clock=self._drivers.clock)
            self._directory.append_event("etcd_hashes", members=hashes)
        self._directory.append_event("vrrp_advert", **longest_advert(self._drivers))


def _ways(cluster: Cluster) -> dict[str, ProbeSpec]:
    """The run's own writers and readers, by the names of their samples."""
    servers = [f"apiserver:{node.name}" for node in cluster.control_planes]
    writing = {path: _spec("api_write", path, WRITE_HZ) for path in ["vip", *servers]}
    reading = {path: _spec("api_quorum_read", path, READ_HZ) for path in servers}
    return {
        f"{word}{path.replace(':', '_')}": spec
        for word, specs in ((WRITER, writing), (READER, reading))
        for path, spec in specs.items()
    }


def _spec(probe: str, path: str, rate_hz: float) -> ProbeSpec:
    return ProbeSpec(probe=probe, path=path, connection="reused", rate_hz=rate_hz)
