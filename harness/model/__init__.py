"""Frozen values that every layer shares; no I/O."""

from __future__ import annotations
