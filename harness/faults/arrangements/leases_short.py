"""leases_short: a scheduler that leads no more is replaced sooner than by default."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

from quorate.harness.drivers.manifests import with_flags_after
from quorate.harness.faults.covers.flags import OtherFlags

LEASE_S = 5
TIMERS: Mapping[str, str] = MappingProxyType(
    {
        "--leader-elect-lease-duration": f"{LEASE_S}s",
        "--leader-elect-renew-deadline": "3s",
        "--leader-elect-retry-period": "1s",
    }
)
"""A third of the defaults 15, 10 and 2 s (component-base config/v1alpha1/defaults.go), rounded."""


class LeasesShort(OtherFlags):
    """Not worse, only other: what is predicted and what is measured must both follow."""

    name: ClassVar[str] = "leases_short"
    summary: ClassVar[str] = f"kube-scheduler elects its leader by a Lease of {LEASE_S} s."
    parts: ClassVar[tuple[str, ...]] = ("kube-scheduler",)
    word: ClassVar[str] = f"--leader-elect-lease-duration={LEASE_S}s"

    def changed(self, text: str) -> str:
        return with_flags_after(text, "--leader-elect", TIMERS)

    def refusal(self, path: str, node: str) -> str:
        return f"{path} on {node} does not say --leader-elect=true, or sets its timers itself"
