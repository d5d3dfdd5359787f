"""The words of `quorate schema`; by themselves, so that `--help` need not build any schema."""

from __future__ import annotations

SCHEMAS = ("experiment", "cluster", "suite", "verdict", "audit", "acceptance", "plan")
