"""coredns_kill: the cluster's DNS loses its pods on a node."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from quorate.harness.drivers.coredns import NAMESPACE, SELECTOR
from quorate.harness.faults.contract import Parameter
from quorate.harness.faults.pod_kill import PodKill


class CorednsKill(PodKill):
    """pod_kill of CoreDNS: what asks for a name meanwhile asks nobody, or waits for a retry."""

    name: ClassVar[str] = "coredns_kill"
    summary: ClassVar[str] = "CoreDNS is killed on a node: names asked of it get no answer."
    parameters: ClassVar[tuple[Parameter, ...]] = ()

    def chosen(self, arguments: Mapping[str, object]) -> tuple[str, str]:
        return NAMESPACE, SELECTOR
