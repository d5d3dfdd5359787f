"""What a fault costs clients: the slowest of the components that it touches.

They all start at the fault and run at the same time, so their bounds are not added but the
maximum is taken (reference/timings_and_slos.md §1.1, "detection clocks overlap").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from quorate.harness.predict.facts import (
    EtcdFacts,
    HaproxyFacts,
    HaproxyServer,
    KeepalivedFacts,
    VrrpInstance,
)
from quorate.harness.predict.formulas import (
    Bound,
    etcd_election,
    haproxy_marks_down,
    haproxy_marks_up,
    vrrp_takeover,
)
from quorate.harness.predict.haproxy_cfg import parse_haproxy
from quorate.harness.predict.keepalived_conf import parse_keepalived

WHAT = "longest_outage_s"


@dataclass(frozen=True)
class ClusterFacts:
    """The configuration of a cluster's nodes; a node that runs no such thing is left out."""

    virtual_address: str
    port: int
    keepalived: Mapping[str, KeepalivedFacts]
    haproxy: Mapping[str, HaproxyFacts]
    etcd: EtcdFacts = field(default_factory=EtcdFacts)


def read_facts(
    *, virtual_address: str, port: int, keepalived: Mapping[str, str], haproxy: Mapping[str, str]
) -> ClusterFacts:
    """Facts from the configuration files' texts by node; raises DriverError naming the line."""
    return ClusterFacts(
        virtual_address=virtual_address,
        port=port,
        keepalived={node: parse_keepalived(text) for node, text in keepalived.items()},
        haproxy={node: parse_haproxy(text) for node, text in haproxy.items()},
    )


@dataclass(frozen=True)
class Touched:
    """What a node did when the fault struck it. ``silent``: it answers nothing from then on."""

    node: str
    address: str
    holds_vip: bool
    leads_etcd: bool
    has_apiserver: bool = True
    silent: bool = True


@dataclass(frozen=True)
class Prediction:
    """A bound in seconds; ``component`` is None for the whole outage, else names one part of it."""

    what: str
    component: str | None
    low_s: float
    high_s: float
    formula: str

    def to_event(self) -> dict[str, object]:
        """The data of an event of kind ``prediction``."""
        return {
            "what": self.what,
            "component": self.component,
            "low_s": round(self.low_s, 6),
            "high_s": round(self.high_s, 6),
            "formula": self.formula,
        }


def predict_outage(touched: Touched, *, facts: ClusterFacts) -> tuple[Prediction, ...]:
    """The whole outage of new connections at the VIP first, then each component's part.

    Where the VIP has no backup the outage has no bound: the whole is left out and only the parts
    that are known are given. Empty where nothing is touched.
    """
    parts = [part for part in _parts(touched, facts=facts) if part is not None]
    predictions = tuple(
        Prediction(WHAT, component, bound.low_s, bound.high_s, bound.formula)
        for component, bound in parts
    )
    if not parts or (touched.holds_vip and not any(name == "vip" for name, _ in parts)):
        return predictions
    low_s = max(bound.low_s for _, bound in parts)
    high_s = max(bound.high_s for _, bound in parts)
    names = ", ".join(component for component, _ in parts)
    whole = Prediction(WHAT, None, low_s, high_s, f"the slowest of: {names}")
    return (whole, *predictions)


def _parts(touched: Touched, *, facts: ClusterFacts) -> list[tuple[str, Bound] | None]:
    server_down = _marked_down(touched, facts=facts)
    election = etcd_election(facts.etcd) if touched.leads_etcd else None
    return [
        _named("vip", _takeover(touched, facts=facts)),
        _named("haproxy_backend", server_down),
        _named("etcd_leader", election),
        _named("haproxy_backend after etcd_leader", _rise_after(election, facts=facts)),
    ]


def _named(component: str, bound: Bound | None) -> tuple[str, Bound] | None:
    return None if bound is None else (component, bound)


def _takeover(touched: Touched, *, facts: ClusterFacts) -> Bound | None:
    if not touched.holds_vip:
        return None
    return vrrp_takeover(_backups(touched.node, facts=facts))


def _backups(holder: str, *, facts: ClusterFacts) -> tuple[VrrpInstance, ...]:
    found = (
        keepalived.holding(facts.virtual_address)
        for node, keepalived in facts.keepalived.items()
        if node != holder
    )
    return tuple(instance for instance in found if instance is not None)


def _marked_down(touched: Touched, *, facts: ClusterFacts) -> Bound | None:
    """The slowest load balancer among those that are left."""
    if not touched.has_apiserver:
        return None
    bounds = []
    for node, haproxy in facts.haproxy.items():
        backend = haproxy.behind(facts.port)
        if backend is None or (node == touched.node and touched.silent):
            continue
        bounds += [
            haproxy_marks_down(server, backend, silent=touched.silent)
            for server in backend.servers
            if server.address == touched.address
        ]
    known = [bound for bound in bounds if bound is not None]
    return max(known, key=lambda bound: bound.high_s, default=None)


def _rise_after(election: Bound | None, *, facts: ClusterFacts) -> Bound | None:
    """Without a leader no API server is ready: where elections outlast the checks, all go down.

    They then need ``rise`` checks more after the election.
    """
    if election is None:
        return None
    for haproxy in facts.haproxy.values():
        backend = haproxy.behind(facts.port)
        for server in backend.servers if backend is not None else ():
            down = haproxy_marks_down(server, backend, silent=True) if backend else None
            if down is not None and down.low_s < election.high_s:
                return _after(election, server)
    return None


def _after(election: Bound, server: HaproxyServer) -> Bound | None:
    up = haproxy_marks_up(server)
    if up is None:
        return None
    return Bound(
        low_s=election.low_s,  # the checks may also not have failed often enough
        high_s=election.high_s + up.high_s,
        formula=f"{election.formula}; then {up.formula}",
    )
