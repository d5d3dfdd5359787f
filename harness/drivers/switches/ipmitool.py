"""IPMI 2.0 by `ipmitool`: a server's BMC."""

from __future__ import annotations

import re
import shlex

from quorate.harness.drivers.switches.program import answer
from quorate.harness.drivers.switches.switch import Action, Power, State, Step
from quorate.harness.errors import DriverError
from quorate.harness.model.power_map import IpmiMachine

_STATUS = re.compile(r"^Chassis Power is (on|off)\s*$", re.MULTILINE)

PASSWORD = "IPMITOOL_PASSWORD"
"""What `ipmitool -E` looks at first, before IPMI_PASSWORD."""

_PATIENCE = ("-N", "1", "-R", "2")
"""Seconds for a packet (more each time) and repetitions. Its own 4 are 10 s for a BMC that does not
tell its cipher suites, at every command."""


class IpmitoolSwitch:
    """`chassis power off` is a hard one; `soft`, which asks the system, is never used."""

    def __init__(self, node: str, machine: IpmiMachine, *, password: str) -> None:
        self._node = node
        self._machine = machine
        self._environment = {PASSWORD: password}

    def power(self) -> Power:
        said = self._ask("status")
        found = _STATUS.search(said)
        if found is None:
            raise DriverError(f"{self._node}: ipmitool says {said.strip()[:200]!r} of the power")
        return Power(State(found[1]), found[1])

    def step(self, action: Action) -> Step:
        return Step(shlex.join(self._argv(action)), lambda: self._ask(action))

    def _ask(self, word: str) -> str:
        return answer(
            self._node, self._argv(word), package="ipmitool", environment=self._environment
        )

    def _argv(self, word: str) -> tuple[str, ...]:
        of = self._machine
        suite = () if of.cipher_suite is None else ("-C", str(of.cipher_suite))
        return (
            *("ipmitool", "-I", "lanplus", *_PATIENCE, "-H", of.address, "-p", str(of.port)),
            *("-U", of.user, "-E", "-L", of.level, *suite, "chassis", "power", word),
        )
