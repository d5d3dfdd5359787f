"""What an arrangement is put on with, beside itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.faults.contract import Arrangement, Plan


@dataclass(frozen=True)
class Start:
    """`arguments`: those that the experiment gives. `deadline_s`: seconds after which its dead
    man's switches go off; longer than the run can last."""

    arguments: Mapping[str, object] = field(default_factory=dict)
    deadline_s: float = 3600.0

    def plan(
        self, arrangement: Arrangement, *, drivers: Drivers, mark: str, holder: str | None
    ) -> Plan:
        """Look, and say what is to be done; changes nothing. RefusedError as `prepare` has it."""
        defaults = {one.name: one.default for one in arrangement.parameters}
        arguments = defaults | dict(self.arguments)
        return Plan(
            arrangement.name,
            (),
            arguments=arguments,
            before=arrangement.prepare(drivers, arguments=arguments),
            mark=mark,
            deadline_s=self.deadline_s,
            vip_holder=holder,
        )


AS_IT_IS = Start()
"""No arguments, in a run that does not say how long it can last."""
