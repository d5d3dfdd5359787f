"""Whom an experiment's words stand for now, and whether that may be broken now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from quorate.harness.drivers.clock import wait_until
from quorate.harness.errors import DriverError, RefusedError
from quorate.harness.faults.contract import Fault
from quorate.harness.model.cluster import Role
from quorate.harness.run import pace
from quorate.harness.run.limits import Down, Placed, check_together
from quorate.harness.run.request import Request
from quorate.harness.run.targets import (
    LEASES,
    Facts,
    Targets,
    candidates,
    selector_of,
    words_of,
)
from quorate.harness.run.workings import Workings


class Aim:
    """The targets of one run. Called from the main thread, but for `demand_still`."""

    def __init__(self, request: Request, *, workings: Workings) -> None:
        self._request = request
        self._w = workings
        self._targets: Targets | None = None

    def take(self) -> None:
        """Resolve every word of the experiment and write the answers down."""
        self._targets = Targets.resolve(
            self._request.experiment,
            cluster=self._request.cluster,
            facts=self.facts(*words_of(self._request.experiment)),
            seed=self._request.seed,
        )
        self._write()
        self._demand_planned()

    def facts(self, *words: str) -> Facts:
        """Who is what now; where pods run only as far as these target words ask for it."""
        if not any(selector_of(word) is not None or word in LEASES for word in words):
            return self._asked()
        ask = partial(self._asked, *words)
        return self._w.watcher.beside(ask, what=f"who is {', '.join(words)}?")

    @property
    def targeted(self) -> tuple[str, ...]:
        """All nodes that some word stands for."""
        assert self._targets is not None
        return tuple(dict.fromkeys(n for nodes in self._targets.nodes.values() for n in nodes))

    def nodes(self, word: str) -> tuple[str, ...]:
        """The nodes resolved at the start, or new ones where the facts have moved since."""
        assert self._targets is not None
        moved = self._targets.moved(
            word, experiment=self._request.experiment, facts=self.facts(word)
        )
        if moved is not None:
            self._targets = moved
            self._write()
            if not (self._request.experiment.given or self._w.injector.faults_put_on):
                self._demand_planned()  # else it is the run itself that may have moved it
            self._w.progress.say(f"{word} is another node than at the start: resolved again")
        return self._targets.nodes[word]

    def demand_within_limits(
        self, fault: Fault, *, nodes: Sequence[str], arguments: Mapping[str, object]
    ) -> None:
        """RefusedError where this, with what is on and what does not work now, is too much.

        The plan was checked by its words. Since then one may have come to stand for another node,
        something may have failed by itself, or not have come back after an undo.
        """
        if self._request.experiment.beyond_tolerance:
            return
        on = [*self._w.injector.faults_on, Placed(fault, nodes, arguments)]
        said: list[RefusedError] = []

        def bearable() -> bool:
            said.clear()
            try:
                check_together(on, cluster=self._request.cluster, down=self._down())
            except RefusedError as error:
                said.append(error)
            return not said

        self._w.watcher.until(bearable, at_most_s=pace.BEARABLE_S, what="can one more be borne?")
        if said:
            raise said[0]

    def demand_still(self, word: str, *, nodes: Sequence[str]) -> None:
        """RefusedError unless `word` stands for these nodes still; asked just before the act.

        Called from the thread that acts; what only the followers tell may be unknown for a moment.
        """
        cluster = self._request.cluster

        def is_so() -> bool:
            try:
                now = candidates(word, cluster=cluster, facts=self._asked(word))
            except DriverError:
                return False
            return set(nodes) <= set(now)

        if not wait_until(self._w.watcher.clock, is_so, timeout_s=pace.STILL_S):
            raise RefusedError(
                f"{word} was {', '.join(nodes)} and is not any more: it moved before the act"
            )

    def _demand_planned(self) -> None:
        """RefusedError where a plan that was kept says other nodes. What it did not know yet
        (pods that are arranged for) may be any."""
        assert self._targets is not None
        for word, planned in self._request.planned.items():
            now = self._targets.nodes[word]
            if planned and now != planned:
                told = f"{word} {', '.join(planned)} → {', '.join(now)}"
                raise RefusedError(f"this is not what was planned any more; plan it anew: {told}")

    def _asked(self, *words: str) -> Facts:
        components = self._w.observer.components
        selectors = [found for word in words if (found := selector_of(word)) is not None]
        return Facts(
            components.vip_holder,
            components.etcd_leader,
            {selector: self._w.running(selector) for selector in selectors},
            {word: self._w.lease_node(LEASES[word]) for word in words if word in LEASES},
        )

    def _down(self) -> Down:
        cluster, components = self._request.cluster, self._w.observer.components
        members = {node.name for node in cluster.with_role(Role.ETCD)}
        servers = {node.name for node in cluster.control_planes}
        return Down(
            members - components.nodes_good("etcd"), servers - components.nodes_good("apiserver")
        )

    def _write(self) -> None:
        assert self._targets is not None
        facts = self._targets.facts
        self._w.directory.append_event(
            "targets_resolved",
            targets={word: list(nodes) for word, nodes in self._targets.nodes.items()},
            facts=facts.to_dict(),
        )
        also = " (it also leads etcd)" if facts.vip_holder == facts.etcd_leader else ""
        words = ", ".join(f"{word} = {', '.join(n)}" for word, n in self._targets.nodes.items())
        self._w.progress.say(
            f"VIP on {facts.vip_holder}{also}, etcd led by {facts.etcd_leader}"
            + (f"; {words}" if words else "")
        )
