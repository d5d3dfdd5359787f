"""The verdict, as the steady-state hypothesis of every quorate experiment asks for it."""

from __future__ import annotations

from quorate.harness.control import verdict

__all__ = ["verdict"]
