"""acts_do_nothing: each fault's act is replaced by `true`; its proof must notice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.faults.contract import Act, Arrangement, Plan, Proof
from quorate.harness.model.undo import Undo


class ActsDoNothing(Arrangement):
    """Nothing on the cluster is changed, so there is nothing to take back."""

    name: ClassVar[str] = "acts_do_nothing"
    summary: ClassVar[str] = "Every act is replaced by `true`; a control for the proofs."
    voids_acts: ClassVar[bool] = True

    def undos(self, drivers: Drivers, *, plan: Plan) -> Sequence[Undo]:
        return []

    def acts(self, drivers: Drivers, *, plan: Plan) -> Sequence[Act]:
        return []

    def proof(self, drivers: Drivers, *, plan: Plan) -> Proof:
        return Proof(True, "the acts of this run are replaced by `true`")
