"""What a fault costs who asks an API server through the virtual address."""

from __future__ import annotations

from dataclasses import dataclass

from quorate.harness.model.cluster import Node, Role
from quorate.harness.model.touch import Part, Way
from quorate.harness.predict.balancing import (
    haproxy_leaves_without_etcd,
    haproxy_marks_down,
    haproxy_marks_up,
    tries_another_after_s,
)
from quorate.harness.predict.cluster_facts import ClusterFacts, Unpredicted
from quorate.harness.predict.facts import HaproxyBackend, HaproxyServer
from quorate.harness.predict.formulas import Bound, widest
from quorate.harness.predict.nginx_balancing import (
    ASKS_NONE,
    nginx_loses_a_machine,
    nginx_takes_elsewhere,
)
from quorate.harness.predict.parts import BACKEND, LEADER, NGINX, VIP, Parts
from quorate.harness.predict.situation import Asked, Cost, Situation

PATH = "vip"

QUORUM_READS = ("api_quorum_read", "api_dry_run_create")
"""Probes that need etcd's leader for every answer, and nothing else of etcd: a create that is not
to be kept reads whether its name is taken."""

WATCHES = ("api_watch",)
"""Probes of a stream: how old it gets follows from when it is written to besides."""

SYN_AGAIN_S = (1.0, 3.0, 7.0, 15.0)
"""When Linux sends a SYN that was lost again (tcp(7): from 1 s on, doubling)."""

LISTENS = "started again, it listens before it serves: "
"""What is met of an API server that was killed (seen on the lab; serving.go says why)."""

RECONNECT_TICKS = 2
"""A kept connection that is reset: the sample under way, and the one that finds it closed."""


def api_costs(situation: Situation, asked: Asked, facts: ClusterFacts) -> list[Cost]:
    """One for each component on the way that is touched; none of them: it costs nothing.

    Raises Unpredicted where no honest bound can be given.
    """
    return ApiPath(situation, asked, facts).costs()


@dataclass(frozen=True)
class ApiPath:
    """Clients → the VIP's holder → its HAProxy or Nginx → an API server → etcd."""

    situation: Situation
    asked: Asked
    facts: ClusterFacts

    @property
    def _parts(self) -> Parts:
        return Parts(self.situation, self.facts)

    def costs(self) -> list[Cost]:
        if self.asked.path != PATH:
            raise Unpredicted(f"there is no formula for the path {self.asked.path}")
        if self.asked.probe in WATCHES:
            raise Unpredicted("there is no formula for how old a watch gets")
        part, way = self.situation.touch.part, self.situation.touch.way
        if part is Part.MACHINE and way is Way.LEFT:
            return self._reboot()
        if part is Part.MACHINE:
            return [*self._vip(), *self._servers(), *self._etcd()]
        if part in (Part.VIP, Part.KEEPALIVED, Part.BALANCER):
            return self._vip()
        if part is Part.APISERVER:
            return self._servers()
        return self._etcd() if part is Part.ETCD else []

    def _cost(self, component: str, bound: Bound, *, hangs_s: float | None = None) -> Cost:
        """`hangs_s`: for how long a connection that is kept hangs at most; None: it is reset."""
        if not self.asked.reused:
            return Cost(component, bound)
        again_s = RECONNECT_TICKS * self.asked.period_s
        kept = "is reset" if hangs_s is None else f"hangs for up to {hangs_s:g} s"
        text = f"a connection that is kept {kept}, and another is there after {again_s:g} s"
        high_s = max(bound.high_s, hangs_s or 0.0) + again_s
        return Cost(component, Bound(bound.low_s, high_s, f"{bound.formula}; {text}"))

    @property
    def _syn_reach_s(self) -> float:
        """How long before the VIP's move a connection may be begun and still be in time."""
        return max([one for one in SYN_AGAIN_S if one < self.asked.deadline_s], default=0.0)

    # --- the virtual address

    def _vip(self) -> list[Cost]:
        situation = self.situation
        if not situation.hits_holder:
            return []
        if situation.touches(Part.KEEPALIVED) and situation.touch.way is not Way.LEFT:
            text = (
                f"the address and its {self.facts.product} stay, and who takes it over announces it"
            )
            return [self._cost(VIP, Bound(0.0, 0.0, text))]
        moved = self._parts.vip()
        assert moved is not None
        if situation.touches(Part.BALANCER, Way.ENDED):
            return [self._restarted(moved)]
        # One that hangs has its kernel accept them.
        reach_s = 0.0 if situation.touches(Part.BALANCER) else self._syn_reach_s
        text = moved.formula
        text += f", less {reach_s:g} s, when a lost SYN is sent again" if reach_s else ""
        low_s, high_s = max(0.0, moved.low_s - reach_s), max(0.0, moved.high_s - reach_s)
        return [self._cost(VIP, Bound(low_s, high_s, text), hangs_s=self.asked.gives_up_s)]

    def _restarted(self, moved: Bound) -> Cost:
        """Its machine refuses until systemd has started it again, or the VIP has moved."""
        again_s = self.facts.restart_s(str(self.situation.vip_holder))
        if again_s is None:
            return self._cost(VIP, moved)
        product = self.facts.product
        text = f"systemd starts {product} again after {again_s:g} s; should that take longer: "
        low_s = min(again_s, moved.low_s)
        return self._cost(VIP, Bound(low_s, moved.high_s, text + moved.formula))

    # --- API servers

    def _servers(self) -> list[Cost]:
        hit = self._parts.servers_hit()
        if self._behind_nginx:
            return self._passed_on(hit)
        each = self._parts.servers(hit)
        if hit and not each:
            raise Unpredicted("no HAProxy on clients' way has a server at the target's address")
        return [self._server(server, backend) for server, backend in each]

    @property
    def _behind_nginx(self) -> bool:
        return self.facts.balancer == NGINX

    def _passed_on(self, hit: list[Node]) -> list[Cost]:
        """By an Nginx: what one server does not take another one gets; a connection that is kept
        hangs for as long as Nginx lets one be silent."""
        way = self.situation.touch.way
        proxies = self._parts.proxies(hit)
        if hit and not proxies:
            raise Unpredicted("no Nginx on clients' way has a server at the target's address")
        costs = []
        for proxy, lost in proxies:
            bound = nginx_takes_elsewhere(
                proxy, way=way, lost=lost, deadline_s=self.asked.deadline_s
            )
            silent_s = min(self.asked.gives_up_s, proxy.timeout_s)
            costs.append(self._cost(NGINX, bound, hangs_s=None if way is Way.LEFT else silent_s))
        return costs

    def _server(self, server: HaproxyServer, backend: HaproxyBackend) -> Cost:
        way = self.situation.touch.way
        down = haproxy_marks_down(server, backend, way=way)
        if way in (Way.HUNG, Way.ENDED):
            first = LISTENS if way is Way.ENDED else ""
            return self._share(server, backend, down=down, first=first)
        serves_s = self._serves_on_s()
        if down is not None and down.high_s <= serves_s:
            text = f"it serves on for {serves_s:g} s; {down.formula}"
            return self._cost(BACKEND, Bound(0.0, 0.0, text))
        wait_s = tries_another_after_s(backend, way=way)
        if wait_s is None or wait_s >= self.asked.deadline_s:
            return self._share(server, backend, down=down)
        text = f"HAProxy tries another server {f'after {wait_s:g} s' if wait_s else 'at once'}"
        if way is not Way.SILENT:
            return self._cost(BACKEND, Bound(0.0, 0.0, text))
        hangs_s = self._hangs_s(server, down)
        if not server.shutdown_sessions or down is None:
            return self._cost(BACKEND, Bound(0.0, 0.0, text), hangs_s=hangs_s)
        # Seen on the lab: what still waits for the server then is ended, not sent elsewhere.
        text += f", but ends what waits for it when it marks it down: {_one_in(backend)}"
        return self._cost(BACKEND, Bound(0.0, wait_s, text), hangs_s=hangs_s)

    def _serves_on_s(self) -> float:
        """How long the API servers go on after they have said that they are not ready."""
        if not self.situation.touches(Part.APISERVER, Way.LEFT):
            return 0.0
        nodes = self._parts.servers_hit()
        return min(self.facts.apiserver(node.name).shutdown_delay_s for node in nodes)

    def _share(
        self,
        server: HaproxyServer,
        backend: HaproxyBackend,
        *,
        down: Bound | None,
        first: str = "",
    ) -> Cost:
        """Those new connections that come to one server get no answer until it is left. Which
        ones is chance: three good ones in a row end an outage, so that it may be any shorter."""
        if down is None:
            raise Unpredicted(
                f"HAProxy's check of {server.name} does not fail and no other server is tried in "
                "time: it is never left"
            )
        text = f"{first}{_one_in(backend)}, until {down.formula}"
        bound = Bound(0.0, down.high_s, text)
        return self._cost(BACKEND, bound, hangs_s=self._hangs_s(server, down))

    def _hangs_s(self, server: HaproxyServer, down: Bound | None) -> float | None:
        """How long a connection hangs that is kept to a server which answers nothing."""
        ends = self.situation.touch.way in (Way.ENDED, Way.LEFT)
        if ends and not self.situation.touches(Part.ETCD):
            return None
        if down is None or not server.shutdown_sessions:
            return self.asked.gives_up_s
        return min(self.asked.gives_up_s, down.high_s)

    # --- etcd

    def _etcd(self) -> list[Cost]:
        situation, parts = self.situation, self._parts
        beside = parts.servers_beside()
        if not beside and not situation.loses_leader:
            return []
        if self.asked.probe not in QUORUM_READS:
            raise Unpredicted(f"there is no formula for what {self.asked.probe} needs of etcd")
        if beside and self._behind_nginx:
            names = ", ".join(node.name for node in beside)
            raise Unpredicted(f"{ASKS_NONE}: {names}, without etcd, goes on getting its share")
        costs = self._election()
        for node in beside:
            check_s = self.facts.apiserver(node.name).etcd_check_s
            for server, backend in parts.servers([node]):
                down = haproxy_leaves_without_etcd(server, backend, etcd_check_s=check_s)
                costs.append(self._share(server, backend, down=down))
        return costs

    def _election(self) -> list[Cost]:
        """Reads wait for a leader; with none, no API server is ready either."""
        election = self._parts.leader()
        if election is None:
            return []
        late_s = self.asked.deadline_s
        text = f"{election.formula}, less {late_s:g} s, within which what waits is in time"
        low_s, high_s = max(0.0, election.low_s - late_s), max(0.0, election.high_s - late_s)
        return [Cost(LEADER, Bound(low_s, high_s, text)), *self._risen_after(election)]

    def _risen_after(self, election: Bound) -> list[Cost]:
        """Where the election may outlast the checks, all servers go down, and must rise again."""
        if self._behind_nginx:
            return []
        parts = self._parts
        left = [one for one in self.situation.cluster.control_planes if one not in parts.gone()]
        costs = []
        for node in left:
            check_s = self.facts.apiserver(node.name).etcd_check_s
            for server, backend in parts.servers([node]):
                down = haproxy_leaves_without_etcd(server, backend, etcd_check_s=check_s)
                up = haproxy_marks_up(server)
                if down is None or up is None or down.low_s >= election.high_s:
                    continue
                text = f"no API server is ready meanwhile: {election.formula}; then {up.formula}"
                bound = Bound(0.0, election.high_s + up.high_s, text)
                costs.append(self._cost(BACKEND, bound))
        return sorted(costs, key=lambda one: one.bound.high_s)[-1:]

    # --- a machine that goes in order

    def _reboot(self) -> list[Cost]:
        """Its units stop one after the other, in an order that nobody declares: at worst, what
        each of them costs follows on what another one costs."""
        situation = self.situation
        costs = [one for one in self._etcd() if one.component == LEADER]
        if (slowest := widest(self._ways_down())) is not None:
            costs.append(Cost(NGINX if self._behind_nginx else BACKEND, slowest))
        if situation.hits_holder:
            costs.insert(0, Cost(VIP, self._leaves()))
        if not costs:
            return []
        each = [f"{one.component} up to {one.bound.high_s:.2f} s" for one in costs]
        text = "; ".join([*each, *(one.bound.formula for one in costs)])
        bound = Bound(
            low_s=max(one.bound.low_s for one in costs),
            high_s=sum(one.bound.high_s for one in costs),
            formula=f"one after the other, in an order that is not declared: {text}",
        )
        return [self._cost(str(Part.MACHINE), bound, hangs_s=self.asked.gives_up_s)]

    def _ways_down(self) -> list[Bound]:
        hit = self._parts.servers_hit()
        if not self._behind_nginx:
            return [self._goes_down(*one) for one in self._parts.servers(hit)]
        etcd_too = any(node.has(Role.ETCD) for node in hit)
        return [
            nginx_loses_a_machine(proxy, lost=lost, etcd_too=etcd_too)
            for proxy, lost in self._parts.proxies(hit)
        ]

    def _goes_down(self, server: HaproxyServer, backend: HaproxyBackend) -> Bound:
        """An API server that is told to end, on a machine that falls silent soon after."""
        down = haproxy_marks_down(server, backend, way=Way.LEFT)
        wait_s = tries_another_after_s(backend, way=Way.SILENT)
        if down is None or wait_s is None:
            raise Unpredicted(f"HAProxy may go on sending to {server.name} while it goes down")
        return Bound(0.0, max(down.high_s, wait_s), down.formula)

    def _leaves(self) -> Bound:
        """keepalived says goodbye; where the balancer has gone before it, that is noticed first."""
        goodbye, script = self._parts.vip(), self._parts.script()
        assert goodbye is not None
        text = f"{goodbye.formula}; where {self.facts.product} goes first, {script.formula}"
        low_s = max(0.0, goodbye.low_s - self._syn_reach_s)
        return Bound(low_s, max(goodbye.high_s, script.high_s), text)


def _one_in(backend: HaproxyBackend) -> str:
    return f"1 in {len(backend.servers)} new connections"
