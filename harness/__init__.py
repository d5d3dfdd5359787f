"""The harness: everything between an experiment file and a verdict."""

from __future__ import annotations
