"""haproxy_redispatch_off: a connection that an API server does not take is tried nowhere else."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import ClassVar

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.haproxy import CONFIGURATION, UNIT
from quorate.harness.drivers.haproxy_cfg import described, without_redispatch
from quorate.harness.errors import RefusedError
from quorate.harness.faults.contract import Plan, Proof
from quorate.harness.faults.covers.covered import Covered
from quorate.harness.predict.haproxy_cfg import parse_haproxy

DESCRIPTION = "no-redispatch-by-quorate"
"""One word: HAProxy shows a text with a comma in quotes (seen with 2.6)."""


class HaproxyRedispatchOff(Covered):
    """Options are nothing that HAProxy tells; so its new configuration also describes itself, and
    what answers at the admin socket says whether it goes by that."""

    name: ClassVar[str] = "haproxy_redispatch_off"
    summary: ClassVar[str] = "Every HAProxy retries a connection at the same API server only."
    unit: ClassVar[str] = UNIT
    path: ClassVar[str] = CONFIGURATION

    def worse(
        self, drivers: Drivers, texts: Mapping[str, str], *, arguments: Mapping[str, object]
    ) -> Mapping[str, str]:
        addresses = [node.address for node in drivers.cluster.control_planes]
        made = {}
        for node, text in texts.items():
            other = without_redispatch(text, addresses=addresses)
            made[node] = described(other, DESCRIPTION)
            if parse_haproxy(other) == parse_haproxy(text):
                raise RefusedError(f"{CONFIGURATION} of {node} has no redispatch as it is")
            if made[node] == other:
                raise RefusedError(f"{CONFIGURATION} of {node} has no `global`: give it one")
        return made

    def question(self, drivers: Drivers) -> Sequence[str]:
        return drivers.haproxy.description_argv()

    def normal(self, drivers: Drivers, node: str) -> str:
        return rf"\A(?=[\s\S]*^Name: )(?![\s\S]*^description: {re.escape(DESCRIPTION)}$)"

    def in_effect(self, drivers: Drivers, *, plan: Plan, node: str) -> Proof:
        said = drivers.haproxy.description(node)
        ok = f"description: {DESCRIPTION}" in said.splitlines()
        return Proof(ok, f"HAProxy on {node} says: {', '.join(said.splitlines()) or 'nothing'}")
