"""One run, from its opening to its closing."""

from __future__ import annotations
