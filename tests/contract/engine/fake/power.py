"""The power switch of a fake cluster: python power.py WORLD on|off NODE.

It does not switch on while WORLD/stuck exists.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from world import World

world = World(Path(sys.argv[1]))
if sys.argv[2] == "on" and (world.path / "stuck").exists():
    sys.exit("the switch is stuck")
world.power(sys.argv[2], sys.argv[3])
