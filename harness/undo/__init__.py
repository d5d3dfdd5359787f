"""The way back: journal, settlement, guardian, and one injection's life."""

from __future__ import annotations
