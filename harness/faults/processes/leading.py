"""Kills and pauses of what elects a leader by a lease: where it led, the lease must move."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.faults.contract import Fault, Plan, Proof
from quorate.harness.faults.processes.kill import Kill
from quorate.harness.faults.processes.pause import Pause

LEASE_TIMEOUT_S = 40.0
"""The lease's 15 s, and what the others wait between two looks: 22 s in all at client-go's
defaults (reference/timings_and_slos.md C1), and as much again on a busy machine."""


class Leading(Fault):
    """Beside the fault itself, before it in a class's bases. The lease is called as the part is."""

    part: ClassVar[str]
    proof_timeout_s: ClassVar[float] = LEASE_TIMEOUT_S

    def prepare(
        self, drivers: Drivers, *, nodes: Sequence[str], arguments: Mapping[str, object]
    ) -> Mapping[str, str]:
        before = super().prepare(drivers, nodes=nodes, arguments=arguments)  # type: ignore[safe-super]
        return {**before, **_lease(drivers, self.part, nodes)}

    def proof(self, drivers: Drivers, *, plan: Plan) -> Proof:
        proof = super().proof(drivers, plan=plan)  # type: ignore[safe-super]
        return _and_the_lease(drivers, proof, plan, part=self.part)


class KillLeading(Leading, Kill):
    """Where it led, another one takes over once its lease has run out."""

    proved_by: ClassVar[str] = f"{Kill.proved_by}; where it led, its lease has another holder"


class PauseLeading(Leading, Pause):
    """The same, and when it goes on it must find that it leads no more."""

    proved_by: ClassVar[str] = f"{Pause.proved_by}; where it led, its lease has another holder"


def _lease(drivers: Drivers, part: str, nodes: Sequence[str]) -> Mapping[str, str]:
    holder = drivers.leases.holder(part)
    return {"lease": holder} if holder.partition("_")[0] in nodes else {}


def _and_the_lease(drivers: Drivers, proof: Proof, plan: Plan, *, part: str) -> Proof:
    before = plan.before.get("lease")
    if not proof.ok or before is None:
        return Proof(proof.ok, f"{proof.evidence}{'' if before else '; it did not lead'}")
    if not [one for one in drivers.cluster.control_planes if one.name not in plan.nodes]:
        return Proof(True, f"{proof.evidence}; nobody is left to take the lease {part} over")
    now = drivers.leases.holder(part)
    if now == before:
        return Proof(False, f"{proof.evidence}; {before} still holds the lease {part}")
    told = f"{proof.evidence}; the lease {part} went from {before} to {now}"
    return Proof(True, told, {"lease": part})
