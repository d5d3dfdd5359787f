"""Somebody's own upgrade: whether it is over, and the proof that there was one.

By what kubelets and API servers report; so it is the same for kubeadm and for any other tool that
upgrades machines in their place.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.errors import DriverError
from quorate.harness.model.experiment import Experiment
from quorate.harness.run import pace
from quorate.harness.run.components import Components

if TYPE_CHECKING:
    from quorate.harness.run.run import Run

NAMED = 6
"""More nodes of one version are counted, not named."""


class Versions:
    """What kubelets report now, and what they reported when the run began."""

    def __init__(self, drivers: Drivers, *, components: Components, experiment: Experiment) -> None:
        self.reached = False
        """Whether `over` ever said yes."""
        self._kube, self._clock = drivers.kube, drivers.clock
        self._components = components
        self._planes = drivers.cluster.control_planes
        only = experiment.upgrade is not None and of_control_planes(experiment.upgrade.arguments)
        self._nodes = [node.name for node in self._planes] if only else []
        self._before: Mapping[str, str] = {}
        self._next_look = 0.0

    def begin(self) -> None:
        """Remember what is reported now. DriverError."""
        self._before = self._reported()

    def over(self) -> bool:
        """Whether all of them report one new version, every API server is ready and every node is.

        Looks every VERSIONS_S, and only while API servers are ready, so that it never has to wait.
        """
        lacking = {key.component for key in self._components.lacking()}
        now = self._clock.now()
        if "apiserver" in lacking or now < self._next_look:
            return False
        self._next_look = now + pace.VERSIONS_S
        try:
            self.reached = self.told()[0] and all(self._kube.nodes_ready().values())
        except DriverError:
            return False
        return self.reached

    def told(self, *, nodes: Collection[str] = ()) -> tuple[bool, str]:
        """Whether all report one version, and one of them another when the run began; in words.

        nodes: only these, whatever the experiment says. DriverError.
        """
        chosen = nodes or self._nodes
        now, before = _of(self._reported(), chosen), _of(self._before, chosen)
        if not _news(now, before):
            text = f"no upgrade was seen: the nodes report {_text(now)} as when the run began"
            return False, text
        if len(set(now.values())) > 1:
            return False, f"the upgrade was not over: the nodes report {_text(now)}"
        if behind := self._servers_behind(now):
            text = ", ".join(f"that of {name} {said}" for name, said in behind.items())
            return False, f"the upgrade was not over: API servers of another version: {text}"
        return True, f"the nodes report {_text(now)}; when the run began, {_text(before)}"

    def _servers_behind(self, nodes: Mapping[str, str]) -> dict[str, str]:
        """API servers that are of another version than the kubelet beside them: not every tool
        renews the kubelet last (Kubespray does it first)."""
        found = {
            node.name: self._kube.server_version(node)
            for node in self._planes
            if node.name in nodes
        }
        return {name: said for name, said in found.items() if said != nodes[name]}

    def proof(self, *, nodes: Collection[str] = ()) -> tuple[bool, str]:
        """The same of an upgrade after which the cluster is whole; raises nothing."""
        try:
            ok, text = self.told(nodes=nodes)
        except DriverError as error:
            return False, f"what the nodes report could not be told: {error}"
        missing = "; ".join(self._components.missing())
        return ok and not missing, f"{text}; not whole: {missing}" if missing else text

    def _reported(self) -> dict[str, str]:
        asked = self._kube.node_versions()
        return {name: versions["kubelet version"] for name, versions in asked.items()}


def watch(run: Run, *, at_most_s: float) -> dict[str, object]:
    """Until it is over, and the cluster is whole; what the journal shows."""
    run.watch(for_s=at_most_s, over=run.versions.over, what="until your upgrade is over")
    if run.versions.reached:
        run.watch_until("whole", at_most_s=pace.AFTER_WORK_S)
    return prove(run)


def prove(run: Run, *, nodes: Collection[str] = (), problem: str = "") -> dict[str, object]:
    """Write down whether there was an upgrade. `problem`: why there was none, where that is known
    already."""
    ok, text = (False, problem) if problem else run.versions.proof(nodes=nodes)
    run.directory.append_event("upgrade_proved", ok=ok, evidence=text)
    return {"upgraded": ok, "evidence": text}


def of_control_planes(arguments: Mapping[str, object]) -> bool:
    """Whether the step is about control planes alone."""
    return arguments.get("nodes") == "control-plane"


def _news(now: Mapping[str, str], before: Mapping[str, str]) -> bool:
    """Whether a node reports another version than before, or a new one a version of its own."""
    known = set(before.values())
    return any(
        before[name] != said if name in before else said not in known for name, said in now.items()
    )


def _of(reported: Mapping[str, str], nodes: Collection[str]) -> dict[str, str]:
    return {name: version for name, version in reported.items() if not nodes or name in nodes}


def _text(reported: Mapping[str, str]) -> str:
    versions = sorted(set(reported.values()))
    if len(versions) < 2:
        return "".join(versions) or "nothing"
    each = {one: [name for name, said in reported.items() if said == one] for one in versions}
    return ", ".join(
        f"{one} ({', '.join(names) if len(names) <= NAMED else f'{len(names)} nodes'})"
        for one, names in each.items()
    )
