"""HAProxy looks less closely, or not at all, whether an API server works."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.haproxy import CONFIGURATION, UNIT, never_pattern
from quorate.harness.errors import RefusedError
from quorate.harness.faults.contract import Plan, Proof
from quorate.harness.faults.covers.covered import Covered


class HaproxyChecks(Covered):
    """Servers at the addresses of the cluster's API servers; others stay as they are."""

    unit: ClassVar[str] = UNIT
    path: ClassVar[str] = CONFIGURATION
    word: ClassVar[str]
    """What `show stat` says of such a server: in place of its status, or of its last check."""

    @abstractmethod
    def text(self, text: str, *, addresses: Collection[str]) -> str:
        """haproxy.cfg, worse."""

    def worse(
        self, drivers: Drivers, texts: Mapping[str, str], *, arguments: Mapping[str, object]
    ) -> Mapping[str, str]:
        addresses = _addresses(drivers)
        return {node: self.text(text, addresses=addresses) for node, text in texts.items()}

    def question(self, drivers: Drivers) -> Sequence[str]:
        return drivers.haproxy.stat_argv()

    def normal(self, drivers: Drivers, node: str) -> str:
        checks = _checks(drivers, node)
        if not checks:
            raise RefusedError(f"the HAProxy of {node} has no server at an API server's address")
        already = [path for path, check in checks.items() if self.word in check]
        if already:
            raise RefusedError(f"HAProxy on {node} says {self.word!r} of {already[0]} as it is")
        return never_pattern(checks, self.word)

    def in_effect(self, drivers: Drivers, *, plan: Plan, node: str) -> Proof:
        checks = _checks(drivers, node)
        other = {path: check for path, check in checks.items() if self.word not in check}
        if other or not checks:
            said = ", ".join(f"{'/'.join(check)} of {path}" for path, check in other.items())
            return Proof(False, f"HAProxy on {node} says {said or 'nothing'}")
        return Proof(True, f"HAProxy on {node} says {self.word!r} of {', '.join(checks)}")


def _addresses(drivers: Drivers) -> list[str]:
    return [node.address for node in drivers.cluster.control_planes]


def _checks(drivers: Drivers, node: str) -> dict[str, tuple[str, str]]:
    addresses = _addresses(drivers)
    servers = drivers.haproxy.servers_state(node)
    ours = {one.path for one in servers if one.address in addresses}
    return {path: said for path, said in drivers.haproxy.checks(node).items() if path in ours}
