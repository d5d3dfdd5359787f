"""`python -m quorate`."""

from __future__ import annotations

from quorate.harness.cli import main

main()
