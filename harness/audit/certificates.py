"""Certificates: until when they are good, and for whom."""

from __future__ import annotations

from collections.abc import Iterator

from quorate.harness.audit.facts import AuditFacts
from quorate.harness.audit.rule import BLOCKING, Found, rule
from quorate.harness.model.public_files import Certificate

RENEW = "kubeadm certs renew all, then restart the static pods; kubelet's own: look at its rotation"
SERVING = "/apiserver.crt"


def _each(facts: AuditFacts) -> Iterator[tuple[str, Certificate, float]]:
    """Node, certificate, days that are left."""
    for node, public in facts.public.items():
        for one in public.certificates:
            yield node, one, (one.until - facts.now).total_seconds() / 86400


@rule(
    "certificate-expired",
    BLOCKING,
    "a certificate that is no longer valid",
    fix=RENEW,
)
def expired(facts: AuditFacts) -> Iterator[Found]:
    for node, one, days in _each(facts):
        if days <= 0:
            title = f"{one.subject or 'a certificate'} has expired"
            yield Found(node, title, one.path, f"until {one.until:%Y-%m-%d %H:%M} UTC")


@rule(
    "certificate-expires-soon",
    BLOCKING,
    "a certificate that is valid for fewer days than asked (--certificate-days, 30)",
    fix=RENEW,
)
def expires_soon(facts: AuditFacts) -> Iterator[Found]:
    for node, one, days in _each(facts):
        if 0 < days < facts.terms.certificate_days:
            title = f"{one.subject or 'a certificate'} expires in {days:.1f} days"
            yield Found(node, title, one.path, f"until {one.until:%Y-%m-%d %H:%M} UTC")


@rule(
    "certificate-lacks-vip",
    BLOCKING,
    "an API server whose certificate is not for the virtual IP: clients by the VIP refuse it",
    fix="certSANs in kubeadm's ClusterConfiguration, then kubeadm init phase certs apiserver",
)
def lacks_vip(facts: AuditFacts) -> Iterator[Found]:
    address = facts.configuration.virtual_address
    for node, one, _ in _each(facts):
        if one.path.endswith(SERVING) and address not in one.names:
            title = f"its API server's certificate is not for {address}"
            yield Found(node, title, one.path, f"names {', '.join(one.names)}")


RULES = (expired, expires_soon, lacks_vip)
