"""libvirt by `virsh`: a virtual machine."""

from __future__ import annotations

import re
import shlex

from quorate.harness.drivers.switches.program import answer
from quorate.harness.drivers.switches.switch import Action, Power, State, Step
from quorate.harness.errors import DriverError, RefusedError
from quorate.harness.model.power_map import VirshMachine

_FIELD = re.compile(r"^([A-Z][^:\n]*):[ \t]*(.*?)[ \t]*$", re.MULTILINE)

STATES = {"running": State.ON, "idle": State.ON, "shut off": State.OFF}
"""virsh's words; what else there is (paused, in shutdown, crashed, pmsuspended) is neither."""


class VirshSwitch:
    """`destroy` pulls the plug of a domain and leaves its definition."""

    def __init__(self, node: str, machine: VirshMachine) -> None:
        self._node = node
        self._machine = machine

    def power(self) -> Power:
        word = self._info("State")
        return Power(STATES.get(word, State.OTHER), word)

    def step(self, action: Action) -> Step:
        if action == "off" and self._info("Persistent") != "yes":
            raise RefusedError(
                f"{self._node}: the domain {self._machine.domain} is transient and would be gone "
                "for good once it is off; define it first: virsh dumpxml, virsh define"
            )
        word = "destroy" if action == "off" else "start"
        return Step(shlex.join(self._argv(word)), lambda: self._ask(word))

    def _info(self, field: str) -> str:
        said = self._ask("dominfo")
        found = dict(_FIELD.findall(said)).get(field)
        if found is None:
            raise DriverError(f"{self._node}: virsh dominfo names no {field}: {said[:200]!r}")
        return str(found)

    def _ask(self, word: str) -> str:
        return answer(self._node, self._argv(word), package="libvirt-clients")

    def _argv(self, word: str) -> tuple[str, ...]:
        return ("virsh", "-c", self._machine.connect, word, "--domain", self._machine.domain)
