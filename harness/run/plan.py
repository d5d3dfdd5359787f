"""`quorate plan EXPERIMENT`: what a run would do and what should come of it. Changes nothing.

No lock and no Lease is taken, nothing is journalled, armed or injected; the cluster is only asked.
Commands carry the mark `run-…`, for which a run puts in its own.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from quorate.harness.cluster.file import read_cluster
from quorate.harness.cluster.state import find_cluster
from quorate.harness.drivers import keepalived
from quorate.harness.drivers.bundle import Drivers
from quorate.harness.errors import RefusedError, TransportError
from quorate.harness.faults.contract import Act, Plan, mark_of
from quorate.harness.model.cluster import HARNESS, Node, Role
from quorate.harness.model.experiment import Experiment
from quorate.harness.model.fingerprint import Fingerprint
from quorate.harness.model.undo import Undo
from quorate.harness.model.verdict import PredictionResult
from quorate.harness.predict.cluster_facts import pods_on
from quorate.harness.run.durations import watched_s, worst_case_s
from quorate.harness.run.fingerprint import read_fingerprint
from quorate.harness.run.forecast import Forecast, entries_of
from quorate.harness.run.host_keys import unchecked
from quorate.harness.run.limits import (
    Arithmetic,
    Down,
    Placed,
    arithmetic_of,
    check_together,
    on_together,
)
from quorate.harness.run.live import Options, given_bounds
from quorate.harness.run.opening import refuse_while_pending
from quorate.harness.run.play import read_as_played
from quorate.harness.run.rights import demand_rights
from quorate.harness.run.switches import check_means, switches_for
from quorate.harness.run.targets import LEASES, Facts, resolve, selector_of, words_of
from quorate.harness.run.vantages import vantage_node
from quorate.harness.store.bounds_file import rebound
from quorate.harness.store.run_directory import ExperimentSource
from quorate.harness.transport.at_once import which
from quorate.harness.undo.pending import PendingRuns

MARK = "run"
"""Stands for the run's id in the marks that commands carry."""


@dataclass(frozen=True)
class Switched:
    """A dead man's switch: what a node runs so long after it was armed, if nobody disarms it."""

    node: str
    after_s: float
    text: str


@dataclass(frozen=True)
class Ways:
    """There and back: what puts a fault on, what takes it off, and what does if nobody is left.
    `undos` in the order in which they are carried out."""

    acts: tuple[Act, ...] = ()
    undos: tuple[Undo, ...] = ()
    switches: tuple[Switched, ...] = ()


@dataclass(frozen=True)
class FaultPlan:
    """One fault of the method."""

    placed: Placed
    watched_s: float
    radius: tuple[str, ...]
    arithmetic: Arithmetic
    ways: Ways
    predictions: tuple[PredictionResult, ...]


@dataclass(frozen=True)
class RunPlan:
    """The whole. `refusals`: why a run would not begin now. `later`: what is known only when the
    arrangements are on. `warnings`: what a run would not be refused for. `fingerprint`: of the
    cluster that all of this was looked up on."""

    experiment: Experiment
    cluster: str
    seed: int
    facts: Facts
    targets: Mapping[str, tuple[str, ...]]
    faults: tuple[FaultPlan, ...]
    fingerprint: Fingerprint
    refusals: tuple[str, ...] = ()
    later: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def lasts_s(self) -> float:
        """How long the run can last at worst."""
        return worst_case_s(self.experiment)

    @property
    def bounds(self) -> dict[str, float]:
        """Everything that must hold, by its full name, and the most that it may be."""
        experiment = self.experiment
        bounded = zip(experiment.bound_names, experiment.bounded, strict=True)
        return {name: one.at_most for name, one in bounded}

    @property
    def exit_code(self) -> int:
        return RefusedError.exit_code if self.refusals else 0


def plan_source(source: ExperimentSource, *, options: Options) -> RunPlan:
    """Look at the experiment, with the bounds that its run would have, and at the cluster.

    SpecError for a mistake in a file; RefusedError, DriverError and TransportError where the
    cluster cannot be asked.
    """
    parts = options.parts
    given = given_bounds(options)
    experiment = rebound(read_as_played(source, options=options), name=source.name, given=given)
    drawn = secrets.randbelow(2**31) if options.seed is None else options.seed
    described = read_cluster(find_cluster(options.cluster)).with_node_port(seed=drawn)
    parts.enter(described)
    drivers = parts.connect(described)
    try:
        return Planning(experiment, drivers=drivers, seed=drawn).plan(parts.state_dir)
    finally:
        drivers.kube.close()


def look(drivers: Drivers, experiment: Experiment) -> Facts:
    """Who is what now, asked once. DriverError where that cannot be asked."""
    cluster, words = drivers.cluster, words_of(experiment)
    holders = drivers.keepalived.holders([node.name for node in cluster.may_hold_vip])
    selectors = [found for word in words if (found := selector_of(word)) is not None]
    return Facts(
        holders[0] if len(holders) == 1 else None,
        drivers.etcd.leader([node.name for node in cluster.with_role(Role.ETCD)]),
        {selector: drivers.kube.nodes_running(selector) for selector in selectors},
        {word: drivers.leases.node(LEASES[word]) for word in words if word in LEASES},
    )


@dataclass(frozen=True)
class _Seen:
    facts: Facts
    down: Down
    forecast: Forecast
    backups: tuple[str, ...]


class Planning:
    """Collects what a run would be refused for, and goes on."""

    def __init__(self, experiment: Experiment, *, drivers: Drivers, seed: int) -> None:
        self._experiment = experiment
        self._drivers = drivers
        self._cluster = drivers.cluster
        self._seed = seed
        self._refusals: list[str] = []
        self._later: list[str] = []

    def plan(self, state_dir: Path) -> RunPlan:
        """`state_dir`: where runs are registered that may have left something on."""
        with self._noting():
            refuse_while_pending(PendingRuns(state_dir))
        with self._noting():
            entries_of(self._experiment, cluster=self._cluster)
        with self._noting():
            demand_rights(self._drivers, self._experiment)
        facts, down = look(self._drivers, self._experiment), self._down()
        nodes = {word: self._nodes(word, facts) for word in words_of(self._experiment)}
        targeted = sorted({node for found in nodes.values() for node in found})
        for word in self._experiment.vantages:
            with self._noting():
                vantage_node(word, cluster=self._cluster, targeted=targeted)
        forecast = Forecast.read(self._drivers, nodes=targeted)
        seen = _Seen(facts, down, forecast, self._backups())
        steps = [step for step in self._experiment.method if step.kind != "foreign"]
        since = [index for index, step in enumerate(steps) if step.kind == "fault"]
        together = on_together(self._experiment, nodes=nodes)
        faults = tuple(
            self._fault(on, since=index, seen=seen)
            for index, on in zip(since, together, strict=True)
        )
        return RunPlan(
            experiment=self._experiment,
            cluster=self._cluster.name,
            seed=self._seed,
            facts=facts,
            targets=nodes,
            faults=faults,
            fingerprint=read_fingerprint(self._drivers),
            refusals=tuple(dict.fromkeys(self._refusals)),
            later=tuple(dict.fromkeys(self._later)),
            warnings=unchecked(self._cluster.ssh),
        )

    @contextlib.contextmanager
    def _noting(self, *, given: bool = False) -> Iterator[None]:
        """`given`: what is refused now may be all right once the arrangements are on."""
        try:
            yield
        except RefusedError as error:
            self._note(str(error), given=given)

    def _note(self, refusal: str, *, given: bool = False) -> None:
        (self._later if given and self._experiment.given else self._refusals).append(refusal)

    def _down(self) -> Down:
        """What does not serve now; a run begins with a whole cluster only."""

        def leaderless(node: Node) -> bool:
            status = self._drivers.etcd.member(node.name)
            return status is None or not status.has_leader

        def unready(node: Node) -> bool:
            return not self._drivers.kube.is_ready(node)

        members = {one.name for one in which(leaderless, self._cluster.with_role(Role.ETCD))}
        servers = {one.name for one in which(unready, self._cluster.control_planes)}
        for what, names in (("etcd member", members), ("API server", servers)):
            if names:
                where = ", ".join(sorted(names))
                self._refusals.append(
                    f"the cluster is not whole: the {what} of {where} is not well"
                )
        return Down(members, servers)

    def _backups(self) -> tuple[str, ...]:
        """The load balancers whose keepalived runs."""

        def runs(name: str) -> bool:
            try:
                return self._drivers.systemd.state(name, keepalived.UNIT) == "active"
            except TransportError:
                return False

        names = [node.name for node in self._cluster.with_role(Role.LOAD_BALANCER)]
        return tuple(which(runs, names))

    def _nodes(self, word: str, facts: Facts) -> tuple[str, ...]:
        try:
            return resolve(word, cluster=self._cluster, facts=facts, seed=self._seed)
        except RefusedError as error:
            self._note(str(error), given=selector_of(word) is not None)
            return ()

    def _fault(self, on: Sequence[Placed], *, since: int, seen: _Seen) -> FaultPlan:
        """`since`: which of our steps it is, from 0."""
        placed, lasts_s = on[-1], watched_s(self._experiment, since=since)
        with self._noting():
            if not self._experiment.beyond_tolerance:
                check_together(on, cluster=self._cluster, down=seen.down)
        ways = Ways()
        predictions: tuple[PredictionResult, ...] = ()
        with self._noting(given=True):
            if placed.nodes:
                ways = self._ways(placed, lasts_s=lasts_s, facts=seen.facts)
        with self._noting():
            if placed.nodes and since == self._first_fault:
                predictions = seen.forecast.of(
                    self._experiment, placed=placed, facts=seen.facts, backups=seen.backups
                )
        return FaultPlan(
            placed=placed,
            watched_s=lasts_s,
            radius=tuple(self._radius(placed, undos=ways.undos, seen=seen)),
            arithmetic=arithmetic_of(on, cluster=self._cluster, down=seen.down),
            ways=ways,
            predictions=predictions,
        )

    @property
    def _first_fault(self) -> int:
        """The step that what is judged, and so what is predicted, begins with."""
        kinds = [step.kind for step in self._experiment.method if step.kind != "foreign"]
        return kinds.index("fault")

    def _ways(self, placed: Placed, *, lasts_s: float, facts: Facts) -> Ways:
        """As a run would carry them out. RefusedError where the fault cannot be put on."""
        fault, drivers = placed.fault, self._drivers
        before = fault.prepare(drivers, nodes=placed.nodes, arguments=placed.arguments)
        plan = Plan(
            f"{fault.name}-1",
            tuple(placed.nodes),
            arguments=placed.arguments,
            before=before,
            mark=mark_of(MARK, f"{fault.name}-1"),
            deadline_s=lasts_s + fault.switch_margin_s,
            vip_holder=facts.vip_holder,
        )
        undos = fault.undos(drivers, plan=plan)
        check_means(switches_for(undos, plan=plan), transport=drivers.transport)
        switched = [
            Switched(undo.node, plan.deadline_s, undo.text)
            for undo in undos
            if undo.node != HARNESS
        ]
        acts = tuple(fault.acts(drivers, plan=plan))
        return Ways(acts, tuple(reversed(undos)), tuple(switched))

    def _radius(self, placed: Placed, *, undos: Sequence[Undo], seen: _Seen) -> Iterator[str]:
        """A line for each node that is hit, and one for those where something is done beside."""
        facts, reading = seen.facts, seen.forecast.reading
        for name in placed.nodes:
            told = [", ".join(role.value for role in self._cluster.node(name).roles)]
            told += ["holds the VIP"] if name == facts.vip_holder else []
            told += ["leads etcd"] if name == facts.etcd_leader else []
            held = [lease for lease, at in sorted(reading.lease_holders.items()) if at == name]
            told += [f"holds the lease {lease}" for lease in held]
            pods = [pod.name for pod in reading.facts.pods.get(pods_on(name), ()) if pod.leaves]
            told += [f"runs {', '.join(sorted(pods))}"] if pods else []
            yield f"{name}: {'; '.join(told)}"
        beside = {undo.node for undo in undos} - {HARNESS, *placed.nodes}
        if beside:
            yield f"something is also put on {', '.join(sorted(beside))}"
