"""Starts an engine at a quicker pace: python play.py chaos|quorate|pytest ARGUMENTS.

Only the waiting is shorter; everything else is what a user runs.
"""

from __future__ import annotations

import os
import sys

from quorate.harness.faults import node_power_off
from quorate.harness.judge import gates
from quorate.harness.model import experiment
from quorate.harness.run import pace, sampling, upgrade
from quorate.harness.sampling import node

pace.RECOVERED_AFTER_S = 3.0
pace.STEADY_S = 1.0
pace.WHOLE_STEADY_S = 0.5
pace.IN_FLIGHT_S = 0.5
pace.PHASE_S = 1.0
pace.VERSIONS_S = 0.3
pace.AFTER_WORK_S = 5.0
pace.READ_BACK_S = pace.CATCH_UP_S = 2.0
upgrade.STEADY_S = 0.5
upgrade.LOOK_S = 0.1
node.BUFFERS = f"{os.environ['QUORATE_FAKE_WORLD']}/run"
node_power_off.BOOT_TIMEOUT_S = 4.0
node_power_off.NodePowerOff.proof_timeout_s = 3.0
for module in (experiment, sampling, gates):  # each knows it by its own name
    vars(module)["BASELINE_SAMPLES"] = 100


def main() -> None:
    engine, *arguments = sys.argv[1:]
    sys.argv = [engine, *arguments]
    if engine == "quorate":
        from quorate.harness.cli import main as quorate

        quorate(arguments)
    if engine == "pytest":
        import pytest

        sys.exit(pytest.main(["-p", "no:cacheprovider", "-p", "no:hypothesispytest", *arguments]))
    from chaostoolkit.cli import cli

    cli(["--no-version-check", *arguments])


if __name__ == "__main__":
    main()
