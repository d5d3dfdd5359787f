"""A rolling `kubeadm upgrade`: one control plane after the other, then the workers with a drain.

The steps are data, shown before the first one is done. Source of their order:
https://kubernetes.io/docs/tasks/administer-cluster/kubeadm/kubeadm-upgrade/ . An upgrade has no
undo: what is taken back when it ends early is the cordon of the worker that it stopped at.
"""

from __future__ import annotations

import shlex
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.kubectl import ADMIN
from quorate.harness.errors import DriverError, QuorateError, TransportError, UsageError
from quorate.harness.model.cluster import HARNESS, Cluster
from quorate.harness.model.experiment import UPGRADED
from quorate.harness.run import play, upgraded
from quorate.harness.run.run import Run
from quorate.harness.store.run_directory import ExperimentSource
from quorate.reports.hostile import masked

KUBEADM_S = 900.0
"""kubeadm waits up to 5 min for each of three static pods to change."""

DRAIN_S = 600.0
READY_S = 300.0
STEADY_S = 10.0
"""A cluster has to be well for so long before the next machine is touched."""

LOOK_S = 1.0
KUBECTL = ("kubectl", f"--kubeconfig={ADMIN}")


@dataclass(frozen=True)
class Step:
    """One command. ``node``: where it is run; HARNESS: beside quorate. ``argv`` empty: wait until
    ``about`` reports the new version and the cluster is well."""

    about: str
    title: str
    node: str
    argv: tuple[str, ...] = ()
    timeout_s: float = READY_S
    back: tuple[str, ...] = ()
    """What takes it back where the upgrade ends before a later step does."""


def document_of(
    source: ExperimentSource, *, version: str, at_most_s: float | None = None
) -> dict[str, Any]:
    """An experiment that waits for an upgrade, as the one that is done here; SpecError.

    UsageError where it waits for none, or does something else besides. at_most_s: in place of the
    file's own.
    """
    document = play.read_document(source)
    method = play.read_experiment(source).method
    if not all(step.awaits_upgrade for step in method):
        raise UsageError(
            f"{source.file}: `quorate upgrade` plays an experiment whose whole method is one watch "
            f"with watch_until: {UPGRADED}; upgrade_rolling is one (`quorate new upgrade_rolling`)"
        )
    document["title"] = f"What clients saw of an upgrade to {version}"
    if at_most_s is not None:
        document["method"][0]["provider"]["arguments"]["at_most_s"] = at_most_s
    return document


def nodes_of(document: Mapping[str, Any], *, cluster: Cluster) -> tuple[str, ...]:
    """Those that the experiment is about; empty for all of the cluster."""
    if not upgraded.of_control_planes(document["method"][0]["provider"]["arguments"]):
        return ()
    return tuple(node.name for node in cluster.control_planes)


@dataclass(frozen=True)
class Recipe:
    """What is asked for. ``before_node``: a command of the user's own that brings the new kubeadm
    and kubelet (and images, where nothing can be pulled) to {node}; ``options`` are kubeadm's."""

    version: str
    before_node: str = ""
    options: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()


def steps(cluster: Cluster, recipe: Recipe) -> tuple[Step, ...]:
    """All steps, in order. UsageError for a node that kubeadm has no part in, or that is not."""
    control_planes = [node.name for node in cluster.control_planes]
    workers = [node.name for node in cluster.workers if node.name not in control_planes]
    known = [*control_planes, *workers]
    strangers = [name for name in recipe.nodes if name not in known]
    if strangers:
        raise UsageError(f"--node {strangers[0]}: kubeadm upgrades {', '.join(known)}")
    chosen = [name for name in known if not recipe.nodes or name in recipe.nodes]
    first = control_planes[0]
    return tuple(
        step
        for name in chosen
        for step in _steps(
            name, recipe, apply=name == first, drain_by=first if name in workers else ""
        )
    )


def _steps(name: str, recipe: Recipe, *, apply: bool, drain_by: str) -> Iterator[Step]:
    uncordon = (*KUBECTL, "uncordon", name)
    if recipe.before_node:
        argv = tuple(
            word.replace("{node}", name).replace("{version}", recipe.version)
            for word in shlex.split(recipe.before_node)
        )
        yield Step(name, f"bring {recipe.version} to {name}", HARNESS, argv, KUBEADM_S)
    if drain_by:
        options = ("--ignore-daemonsets", "--delete-emptydir-data", f"--timeout={DRAIN_S:.0f}s")
        drain = (*KUBECTL, "drain", name, *options)
        yield Step(name, f"drain {name}", drain_by, drain, DRAIN_S + 30, back=uncordon)
    verb = ("apply", "--yes", recipe.version) if apply else ("node",)
    kubeadm = ("kubeadm", "upgrade", *verb, *recipe.options)
    yield Step(name, f"kubeadm upgrade on {name}", name, kubeadm, KUBEADM_S)
    yield Step(name, f"reload units on {name}", name, ("systemctl", "daemon-reload"), 60)
    yield Step(name, f"restart kubelet on {name}", name, ("systemctl", "restart", "kubelet"), 60)
    if drain_by:
        yield Step(name, f"uncordon {name}", drain_by, uncordon, 60)
    yield Step(name, f"{name} is back, and all is well", HARNESS)


@dataclass
class Upgrade:
    """The steps as work for `onlooking`: done in a thread, told from the main one."""

    drivers: Drivers
    recipe: Recipe
    steps: Sequence[Step]
    say: Callable[[str], None]
    title: str = "upgrade"
    problem: str = ""
    _told: list[str] = field(default_factory=list)
    _ending: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _now: str = ""
    _left: Step | None = None
    """The step that is to be taken back yet."""

    def start(self) -> None:
        self._thread = threading.Thread(target=self._do, name="upgrade", daemon=True)
        self._thread.start()

    def over(self) -> bool:
        while self._told:
            self.say(self._told.pop(0))
        return self._thread is not None and not self._thread.is_alive()

    def stop(self) -> None:
        """No further step begins; the one that is under way is waited for, since kubeadm torn in
        the middle is worse than one that ends late. A cordon of ours is taken off."""
        if self._thread is None:
            return
        if self._thread.is_alive():
            self._ending.set()
            self.say(f"no further step begins; waiting for: {self._now}")
            self._thread.join()
        self.over()

    def prove(self, run: Run) -> None:
        """Write down, of the nodes that were upgraded, what they report."""
        upgraded.prove(run, nodes={step.about for step in self.steps}, problem=self.problem)

    def _do(self) -> None:
        try:
            self._do_steps()
        finally:
            if self._left is not None:
                self._take_back(self._left)

    def _do_steps(self) -> None:
        for number, step in enumerate(self.steps, start=1):
            if self._ending.is_set():
                self.problem = f"ended before: {step.title}; an upgrade has no undo: go on with it"
                break
            self._now = step.title
            self._told.append(f"step {number} of {len(self.steps)}: {step.title}")
            self.problem = f"{step.title}: did not end"
            try:
                self._step(step)
            except QuorateError as error:
                self.problem = f"{step.title}: {error}"
                break
            self.problem = ""

    def _step(self, step: Step) -> None:
        if not step.argv:
            self._until_well(step.about)
            return
        if step.back:
            self._left = step
        self.drivers.transport.check(step.node, step.argv, timeout_s=step.timeout_s)
        if self._left is not None and step.argv == self._left.back:
            self._left = None

    def _take_back(self, step: Step) -> None:
        try:
            self.drivers.transport.check(step.node, step.back, timeout_s=READY_S)
            self._told.append(f"taken back: {step.title}")
        except TransportError as error:
            self.problem += f"; not taken back: {step.title}: {error}"

    def _until_well(self, name: str) -> None:
        """DriverError where the node is not back, or the cluster not well, in time."""
        clock = self.drivers.clock
        deadline, well_since = clock.now() + READY_S, None
        missing = "nothing was asked"
        while clock.now() < deadline:
            missing = self._lacking(name)
            if missing:
                well_since = None
            elif well_since is None:
                well_since = clock.now()
            if well_since is not None and clock.now() - well_since >= STEADY_S:
                return
            clock.sleep(LOOK_S)
        raise DriverError(f"not within {READY_S:.0f} s: {missing}")

    def _lacking(self, name: str) -> str:
        drivers = self.drivers
        try:
            version = drivers.kube.node_versions().get(name, {}).get("kubelet version")
            unready = [node for node, ready in drivers.kube.nodes_ready().items() if not ready]
        except DriverError as error:
            return str(error)
        if version != self.recipe.version:
            return f"{name} reports {version or 'nothing'}, not {self.recipe.version}"
        # /readyz: its etcd is a part of it.
        planes = drivers.cluster.control_planes
        servers = [one.name for one in planes if not drivers.kube.is_ready(one)]
        return "; ".join(
            f"{what} of {', '.join(names)}"
            for what, names in (("kubelet", unready), ("API server or etcd", servers))
            if names
        )


def told(planned: Sequence[Step]) -> str:
    """The steps for a person, who may paste them."""
    lines = []
    for number, step in enumerate(planned, start=1):
        lines.append(f"{number:3}. {step.title}")
        if step.argv:
            where = "beside quorate" if step.node == HARNESS else f"on {step.node}"
            lines.append(f"     {where}: {shlex.join(masked(step.argv))}")
    return "\n".join(lines)
