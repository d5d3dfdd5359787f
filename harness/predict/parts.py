"""When each component that a fault touches has settled, counted from the fault.

They all start at the fault and run at the same time, so their bounds are not added but the
maximum is taken (reference/timings_and_slos.md §1.1, "detection clocks overlap").
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from quorate.harness.model.cluster import Node, Role
from quorate.harness.model.touch import Part, Way
from quorate.harness.predict.balancing import haproxy_leaves_without_etcd, haproxy_marks_down
from quorate.harness.predict.cluster_facts import ClusterFacts, Unpredicted
from quorate.harness.predict.facts import (
    HaproxyBackend,
    HaproxyServer,
    NginxProxy,
    VrrpInstance,
)
from quorate.harness.predict.formulas import (
    Bound,
    etcd_election,
    lease_takeover,
    node_given_up,
    vrrp_gives_up,
    vrrp_goodbye,
    vrrp_takeover,
    widest,
)
from quorate.harness.predict.situation import Situation

VIP = "vip"
BACKEND = "haproxy_backend"
NGINX = "nginx"
LEADER = "etcd_leader"
NODE = "node"
LEASE = "lease"
"""Names of components as the run's events have them; a lease is `lease <name>`."""

NO_BACKUP = "the VIP has no backup: nobody takes it over before the undo"


@dataclass(frozen=True)
class Parts:
    """Each method: None where the fault does not touch the component, Unpredicted where what it
    takes is not known."""

    situation: Situation
    facts: ClusterFacts

    def settled(self) -> Iterator[tuple[str, Bound | str]]:
        """Component → its bound, or why it has none.

        Of a machine that goes in order nothing is said: it stops one thing after the other.
        """
        if self.situation.touches(Part.MACHINE, Way.LEFT):
            return
        one_of: list[tuple[str, Callable[[], Bound | None]]] = [
            (VIP, self.vip),
            (BACKEND, self.backend),
            (LEADER, self.leader),
            (NODE, self.node),
            (self.lease_name, self.lease),
        ]
        for component, bound_of in one_of:
            try:
                bound = bound_of()
            except Unpredicted as why:
                yield component, str(why)
            else:
                if bound is not None:
                    yield component, bound

    def vip(self) -> Bound | None:
        """Until another node has the VIP."""
        situation = self.situation
        if situation.touch.part not in (Part.MACHINE, Part.KEEPALIVED, Part.VIP, Part.BALANCER):
            return None
        if not situation.hits_holder:
            return None
        if situation.touch.part is Part.BALANCER:
            return self.script()
        leaves = situation.touch.way is Way.LEFT
        moved = (vrrp_goodbye if leaves else vrrp_takeover)(self.backups())
        if moved is None:
            raise Unpredicted(NO_BACKUP)
        return moved

    def script(self) -> Bound:
        """Until another node has the VIP because keepalived's check fails on its holder.

        Raises Unpredicted, also where no script is tracked or none would move the VIP.
        """
        holder = str(self.situation.vip_holder)
        instance = self.facts.instance(holder)
        if not instance.track_scripts:
            raise Unpredicted(f"keepalived on {holder} tracks no script: it keeps the VIP")
        scripts = self.facts.keepalived[holder].scripts
        hung = self.situation.touch.way is Way.HUNG
        moved = [
            vrrp_gives_up(scripts[name], holder=instance, backups=self.backups(), hung=hung)
            for name in instance.track_scripts
            if name in scripts
        ]
        found = widest([one for one in moved if one is not None])
        if found is None or None in moved:
            raise Unpredicted(
                f"no backup takes the VIP when the holder's check of {self.facts.product} fails"
            )
        return found

    def backups(self) -> list[VrrpInstance]:
        """What runs elsewhere and could hold the VIP."""
        elsewhere = [node for node in self.situation.backups if node not in self.situation.nodes]
        return [self.facts.instance(node) for node in elsewhere]

    def backend(self) -> Bound | None:
        """Until the load balancers on clients' way send no more to the API servers concerned. An
        Nginx has no such state: what it leaves it tries again."""
        if self.facts.balancer == NGINX:
            return None
        direct = self.servers(self.servers_hit())
        bounds = [
            haproxy_marks_down(server, backend, way=self.situation.touch.way)
            for server, backend in direct
        ]
        beside = self.servers_beside()
        bounds += [self._without_etcd(node) for node in beside]
        if not direct and not beside:
            return None
        if None in bounds:
            raise Unpredicted("HAProxy's checks of such a server do not fail: it is never left")
        return widest([one for one in bounds if one is not None])

    def _without_etcd(self, node: Node) -> Bound | None:
        """The same for an API server that is well but for its etcd."""
        check_s = self.facts.apiserver(node.name).etcd_check_s
        bounds = [
            haproxy_leaves_without_etcd(server, backend, etcd_check_s=check_s)
            for server, backend in self.servers([node])
        ]
        known = [one for one in bounds if one is not None]
        return widest(known) if len(known) == len(bounds) else None

    def servers_hit(self) -> list[Node]:
        """Nodes whose API server itself is touched."""
        if self.situation.touch.part not in (Part.MACHINE, Part.APISERVER):
            return []
        return self.situation.targets(Role.CONTROL_PLANE)

    def gone(self) -> list[Node]:
        """Nodes that run no API server any more."""
        machine = self.situation.touches(Part.MACHINE)
        return self.situation.targets(Role.CONTROL_PLANE) if machine else []

    def servers_beside(self) -> list[Node]:
        """Nodes whose API server runs on and asks no etcd member but lost ones.

        Raises Unpredicted where one asks others too: how soon it leaves a dead one is its client's.
        """
        beside: list[Node] = []
        if not self.situation.members_lost:
            return beside
        for node in self.situation.cluster.control_planes:
            if node in self.gone():
                continue
            urls = self.facts.apiserver(node.name).etcd_servers
            lost = [self._is_lost(url, node) for url in urls]
            if any(lost) and not all(lost):
                raise Unpredicted(
                    f"the API server of {node.name} asks several etcd members; how soon it leaves "
                    "a lost one is not in its configuration"
                )
            if any(lost):
                beside.append(node)
        return beside

    def _is_lost(self, url: str, node: Node) -> bool:
        """Whether an `etcd-servers` URL leads to a lost member: its own by loopback, or another."""
        lost = self.situation.members_lost
        host = url.partition("://")[2].rpartition(":")[0].strip("[]")
        if host in ("127.0.0.1", "::1", "localhost"):
            return node.name in lost
        return any(self.situation.cluster.node(name).address == host for name in lost)

    def servers(self, nodes: list[Node]) -> list[tuple[HaproxyServer, HaproxyBackend]]:
        """Their servers in each load balancer that clients may come by."""
        addresses = {node.address for node in nodes}
        if not addresses:
            return []
        backends = [self.facts.backend(name) for name in self.balancers()]
        return [
            (server, backend)
            for backend in backends
            for server in backend.servers
            if server.address.strip("[]") in addresses
        ]

    def proxies(self, nodes: list[Node]) -> list[tuple[NginxProxy, int]]:
        """What each Nginx that clients may come by does, and how many of its servers these are."""
        addresses = {node.address for node in nodes}
        found = []
        for proxy in map(self.facts.proxy, self.balancers() if nodes else []):
            lost = sum(one.address.strip("[]") in addresses for one in proxy.servers)
            found += [(proxy, lost)] if lost else []
        return found

    def balancers(self) -> list[str]:
        """The VIP's holder; all others where it is the one that is gone."""
        names = [node.name for node in self.situation.cluster.with_role(Role.LOAD_BALANCER)]
        if self.situation.touches(Part.MACHINE) and self.situation.hits_holder:
            return [name for name in names if name not in self.situation.nodes]
        holder = self.situation.vip_holder
        return [holder] if holder in names else names

    def leader(self) -> Bound | None:
        """Until etcd has a leader again, and a read that waited has its answer."""
        if not self.situation.loses_leader:
            return None
        able = self.situation.may_lead
        return widest([etcd_election(self.facts.member(name)) for name in able])

    def node(self) -> Bound | None:
        """Until the nodes are no longer Ready; machines without a kubelet never were."""
        situation = self.situation
        known = [node for node in situation.nodes if situation.cluster.node(node).has_kubelet]
        if not known or not (situation.machine_gone or situation.touches(Part.KUBELET)):
            return None
        left = [node for node in situation.cluster.control_planes if node not in self.gone()]
        bounds = [
            node_given_up(self.facts.given_up(by.name), self.facts.kubelet(node))
            for by in left
            for node in known
        ]
        found = widest([one for one in bounds if one is not None])
        if found is None or None in bounds:
            raise Unpredicted("node-monitor-grace-period is not set, nor the version known")
        if not situation.machine_gone or not self._leads(Part.CONTROLLER_MANAGER):
            return found
        # Another controller manager begins to count anew when it has taken over.
        taken = self._takeover(Part.CONTROLLER_MANAGER)
        formula = f"{taken.formula}; then {found.formula}"
        return Bound(found.low_s, taken.high_s + found.high_s, formula)

    @property
    def lease_name(self) -> str:
        return f"{LEASE} {self.situation.touch.part}"

    def lease(self) -> Bound | None:
        """Until another node holds the component's lease, where the target held it."""
        part = self.situation.touch.part
        if part not in (Part.SCHEDULER, Part.CONTROLLER_MANAGER) or not self._leads(part):
            return None
        return self._takeover(part)

    def _leads(self, part: Part) -> bool:
        return self.situation.lease_holders.get(part) in self.situation.nodes

    def _takeover(self, part: Part) -> Bound:
        nodes = [one.name for one in self.situation.cluster.control_planes]
        standbys = {
            node: self.facts.election(part, node)
            for node in nodes
            if node not in self.situation.nodes
        }
        name = str(part)
        if name not in self.facts.leases_s:
            raise Unpredicted(self.facts.unread.get(name, f"the lease {name} was not read"))
        found = lease_takeover(self.facts.leases_s[name], standbys=standbys)
        if found is None:
            raise Unpredicted(f"no other {name} elects a leader")
        return found
