"""The power switch: the command that cluster.yaml names, run beside the harness."""

from __future__ import annotations

from quorate.harness.errors import RefusedError
from quorate.harness.model.cluster import Cluster
from quorate.harness.model.own_commands import POWER

SWITCH_TIMEOUT_S = 60.0
"""A BMC or a cloud API may take this long to answer; the lab takes about a second."""


class PowerDriver:
    """The switch as data for a journal; its command is put in where it is used."""

    def __init__(self, cluster: Cluster) -> None:
        self._power = cluster.power

    @property
    def is_there(self) -> bool:
        return self._power is not None

    def off_argv(self, node: str) -> tuple[str, ...]:
        """Cut the power; RefusedError when cluster.yaml names no switch."""
        return self._switch("off", node)

    def on_argv(self, node: str) -> tuple[str, ...]:
        """Give the power back; must be harmless when the machine is on."""
        return self._switch("on", node)

    def _switch(self, action: str, node: str) -> tuple[str, ...]:
        if self._power is None:
            raise RefusedError(
                "cluster.yaml names no power switch; add "
                'power: {command: [<program>, "{action}", "{node}"]}'
            )
        return (POWER, action, node)
