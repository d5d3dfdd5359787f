"""Registers: small objects of the API by which a run sees whether acknowledged writes last.

A register is a ConfigMap with one value. One writer changes it, each time only where it still is in
the version that the writer was told last (compare and swap), and no value is ever written twice. So
the versions say in which order the writes took effect, and a value says which write it came from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

WRITER = "_write_"
"""Beginning of the names of the run's own writers; the rest is their way, `apiserver_cp1`."""

READER = "_read_"
"""The same of its readers."""


@dataclass(frozen=True)
class Register:
    """One register as it is planned.

    Args:
        name: its word in samples and events. writer: the probe that writes it.
        path: of the object in the API. body: the object, without version and value.
        values: what every value begins with; the writer puts the number of its tick behind.
    """

    name: str
    writer: str
    path: str
    body: Mapping[str, Any]
    values: str

    @property
    def initial(self) -> str:
        """The value that it is made with."""
        return f"{self.values}initial"


@dataclass(frozen=True, slots=True)
class Operation:
    """What one request to a register told; times in seconds since the run's base.

    It took effect, if it did, between ``start`` and ``end``. ``version``: of the state that was
    read, or made; None: a write that nobody acknowledged, which may have taken effect or not, or
    may yet. ``expected``: the version that a write was made on; None for a read, and for the
    making of the register.
    """

    register: str
    by: str
    start: float
    end: float
    value: str
    version: str | None
    expected: str | None = None
    is_write: bool = False


def operations_in(row: Mapping[str, Any], *, by: str) -> list[Operation]:
    """Those that a sample line tells of (sampling/program/registers.py says how).

    Raises KeyError, TypeError or ValueError where it is none of ours.
    """
    start, end = float(row["start"]), float(row["end"])
    found = []
    if "r" in row:
        name, value, version = row["r"]
        found.append(Operation(name, by, start, end, value, version))
    if "w" in row:
        name, value, expected, version = row["w"]
        found.append(Operation(name, by, start, end, value, version, expected, is_write=True))
    return found
