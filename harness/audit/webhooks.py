"""Admission webhooks: what they refuse when they are gone."""

from __future__ import annotations

from collections.abc import Iterator

from quorate.harness.audit.costs import moved
from quorate.harness.audit.facts import AuditFacts, Pod, Webhook
from quorate.harness.audit.rule import BLOCKING, UNKNOWN, WARNING, Found, rule

TIMEOUT_S = 5.0
"""reference/timings_and_slos.md §5."""


def _failing(facts: AuditFacts) -> Iterator[Webhook]:
    return (one for one in facts.webhooks if one.fails)


def _ready(one: Webhook) -> list[Pod]:
    return [pod for pod in one.pods if pod.ready]


@rule(
    "webhook-single-replica",
    BLOCKING,
    "failurePolicy Fail with fewer than two ready pods behind it: what it admits stops with it",
    cost="until its pod serves on another machine",
    fix="two replicas or more on different machines, or failurePolicy Ignore",
)
def single(facts: AuditFacts) -> Iterator[Found]:
    for one in _failing(facts):
        if one.service is not None and len(_ready(one)) < 2:
            said = f"failurePolicy Fail, {len(_ready(one))} ready pod(s) behind {one.service}"
            title = "what it must admit is refused when its only pod is gone"
            cost = moved(_ready(one), facts.configuration)
            yield Found(one.name, title, one.name, said, cost)


@rule(
    "webhook-on-one-node",
    BLOCKING,
    "failurePolicy Fail with all of its pods on one machine",
    cost="until its pods serve on other machines",
    fix="spread its pods by kubernetes.io/hostname, or failurePolicy Ignore",
)
def on_one_node(facts: AuditFacts) -> Iterator[Found]:
    for one in _failing(facts):
        nodes = {pod.node for pod in _ready(one)}
        if len(_ready(one)) > 1 and len(nodes) == 1:
            said = f"failurePolicy Fail, {len(_ready(one))} pods on {', '.join(nodes)}"
            title = "what it must admit is refused when one machine is gone"
            cost = moved(_ready(one), facts.configuration)
            yield Found(one.name, title, one.name, said, cost)


@rule(
    "webhook-covers-kube-system",
    WARNING,
    "failurePolicy Fail and asked about pods of kube-system: the cluster cannot mend itself",
    fix="a namespaceSelector that leaves out kube-system and the webhook's own namespace",
)
def covers_system(facts: AuditFacts) -> Iterator[Found]:
    for one in _failing(facts):
        if one.covers_system:
            title = "no pod of kube-system is made while it is gone"
            said = "failurePolicy Fail, namespaceSelector takes kube-system"
            yield Found(one.name, title, one.name, said)


@rule(
    "webhook-timeout-long",
    WARNING,
    f"each request waits for it for longer than {TIMEOUT_S:g} s when it hangs",
    fix="timeoutSeconds 5 or less",
)
def timeout_long(facts: AuditFacts) -> Iterator[Found]:
    for one in facts.webhooks:
        if one.timeout_s > TIMEOUT_S:
            title = "requests wait long for it when it hangs"
            yield Found(one.name, title, one.name, f"timeoutSeconds {one.timeout_s:g}")


@rule(
    "webhook-outside",
    UNKNOWN,
    "failurePolicy Fail at a URL: what stands behind it cannot be seen from here",
    fix="see for yourself that it is there twice, or failurePolicy Ignore",
)
def outside(facts: AuditFacts) -> Iterator[Found]:
    for one in _failing(facts):
        if one.service is None:
            title = "what stands behind it is not known"
            yield Found(one.name, title, one.name, "failurePolicy Fail, clientConfig.url")


RULES = (single, on_one_node, covers_system, timeout_long, outside)
