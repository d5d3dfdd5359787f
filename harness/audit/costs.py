"""What a state costs where more than one rule asks, by the formulas of ``predict``."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product

from quorate.harness.audit.facts import Pod
from quorate.harness.model.touch import Way
from quorate.harness.predict.balancing import haproxy_marks_down
from quorate.harness.predict.cluster_facts import ClusterFacts
from quorate.harness.predict.facts import HaproxyBackend
from quorate.harness.predict.formulas import Bound, node_given_up, widest
from quorate.harness.predict.rescheduling import started


def node_lost(facts: ClusterFacts) -> Bound | None:
    """Until a machine that falls silent is given up; None where that is not known."""
    pairs = product(facts.lifecycle.values(), set(facts.kubelets.values()))
    bounds = [node_given_up(lifecycle, kubelet) for lifecycle, kubelet in pairs]
    return widest([one for one in bounds if one is not None])


def moved(pods: Iterable[Pod], facts: ClusterFacts) -> Bound | None:
    """Until pods of a lost machine serve elsewhere; None where that is not known, or never."""
    lost, left = node_lost(facts), [one.unreachable_s for one in pods]
    known = [one for one in left if one is not None]
    if lost is None or not known or len(known) < len(left):
        return None
    first = f"{lost.formula}; + tolerationSeconds {max(known):g} s"
    return started(first, lost.low_s + max(known), lost.high_s + max(known))


def left_by(backend: HaproxyBackend, way: Way) -> Bound | None:
    """Until a load balancer sends no more to a server that goes this way; None: never."""
    bounds = [haproxy_marks_down(server, backend, way=way) for server in backend.servers]
    known = [one for one in bounds if one is not None]
    return widest(known) if len(known) == len(bounds) else None


def up_to(bound: Bound | None) -> Bound | None:
    """The same for whoever may be spared."""
    return None if bound is None else Bound(0.0, bound.high_s, bound.formula)
