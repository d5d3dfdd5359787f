"""Every rule, in the order in which findings are told."""

from __future__ import annotations

from quorate.harness.audit import (
    capacity,
    certificates,
    controllers,
    dns,
    etcd,
    load_balancer,
    nodes,
    virtual_ip,
    webhooks,
    workloads,
)
from quorate.harness.audit.rule import Rule

SUBJECTS: dict[str, tuple[Rule, ...]] = {
    "etcd": etcd.RULES,
    "Load balancers and API servers": load_balancer.RULES,
    "Virtual IP": virtual_ip.RULES,
    "Control plane": controllers.RULES,
    "Certificates": certificates.RULES,
    "DNS": dns.RULES,
    "Workloads and budgets": workloads.RULES,
    "Capacity": capacity.RULES,
    "Admission webhooks": webhooks.RULES,
    "Machines": nodes.RULES,
}
"""Heading → its rules."""

RULES: tuple[Rule, ...] = tuple(rule for rules in SUBJECTS.values() for rule in rules)
