"""The control plane: API servers, and what works behind a lease."""

from __future__ import annotations

from collections.abc import Iterator

from quorate.harness.audit.facts import AuditFacts
from quorate.harness.audit.rule import BLOCKING, WARNING, Found, rule
from quorate.harness.predict.formulas import lease_takeover

TAKEOVER_S = 25.0
"""Kubernetes' own timers (15 s, 10 s, 2 s) come to 23.8 s at most."""


@rule(
    "apiservers-few",
    BLOCKING,
    "fewer than three control planes",
    fix="join control planes until there are three",
)
def few(facts: AuditFacts) -> Iterator[Found]:
    names = [node.name for node in facts.cluster.control_planes]
    if len(names) < 3:
        title = f"{len(names)} control plane(s): there is nothing left to maintain one with"
        yield Found("control-plane", title, "cluster.yaml, nodes", ", ".join(names))


@rule(
    "apiserver-not-ready",
    BLOCKING,
    "an API server that says itself that it is not ready, or does not answer",
    fix="look at its log and at /readyz?verbose",
)
def not_ready(facts: AuditFacts) -> Iterator[Found]:
    for node, ready in facts.apiservers_ready.items():
        if not ready:
            yield Found(node, "its API server is not ready", "/readyz", "no 200 within a second")


@rule(
    "leader-election-off",
    BLOCKING,
    "kube-scheduler or kube-controller-manager without leader election: several work at once",
    fix="--leader-elect=true",
)
def election_off(facts: AuditFacts) -> Iterator[Found]:
    for component, each in facts.configuration.elections.items():
        for node, one in each.items():
            if not one.elects:
                title = f"its {component} asks nobody whether another one works already"
                where = f"{component}.yaml of {node}"
                yield Found(node, title, where, "--leader-elect=false")


@rule(
    "controllers-without-standby",
    BLOCKING,
    "nobody takes over from kube-scheduler or kube-controller-manager",
    fix="run it, with leader election, on every control plane",
)
def without_standby(facts: AuditFacts) -> Iterator[Found]:
    for component, each in facts.configuration.elections.items():
        able = [node for node, one in each.items() if one.elects]
        asked = len(facts.cluster.control_planes) == len(each)
        if asked and len(able) == 1:
            title = "runs on one control plane alone"
            yield Found(component, title, f"{component}.yaml", f"on {able[0]}")


@rule(
    "lease-takeover-slow",
    WARNING,
    f"a standby may wait for longer than {TAKEOVER_S:g} s",
    cost="until another one works",
    fix="the defaults: --leader-elect-lease-duration=15s, --leader-elect-retry-period=2s",
)
def takeover_slow(facts: AuditFacts) -> Iterator[Found]:
    for component, each in facts.configuration.elections.items():
        lease_s = facts.configuration.leases_s.get(component)
        bound = None if lease_s is None else lease_takeover(lease_s, standbys=each)
        if bound is not None and bound.high_s > TAKEOVER_S:
            title = "is slow to be taken over from"
            said = f"lease {lease_s:g} s, retry {max(one.retry_s for one in each.values()):g} s"
            yield Found(component, title, f"Lease kube-system/{component}", said, bound)


RULES = (few, not_ready, election_off, without_standby, takeover_slow)
