"""The activities of an experiment's method: one function for each fault, `undo` and `watch`.

The functions are made from the catalogue, with its arguments as their signatures, so that
`chaos validate` checks the names; each steers the live run that quorate.control opened.
"""

from __future__ import annotations

from quorate.harness.run.activities import ACTIVITIES

__all__ = sorted(ACTIVITIES)

globals().update(ACTIVITIES)
