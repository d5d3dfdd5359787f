"""The guardian's executable: ``python -m quorate.harness.run.guardian_main RUN_DIR``.

Started by `Guardian.start`; its life is told in harness/undo/guardian.py. All that it may need is
read and imported before it says that it is ready.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from quorate.harness.cluster.file import read_cluster
from quorate.harness.cluster.namespace import enter_network_namespace
from quorate.harness.cluster.state import state_directory
from quorate.harness.errors import QuorateError, UsageError
from quorate.harness.transport.dispatch import for_cluster
from quorate.harness.undo.execute import execute_with
from quorate.harness.undo.guardian import stand_guard
from quorate.harness.undo.in_flight import InFlight
from quorate.harness.undo.pending import PendingRuns
from quorate.harness.undo.settle import settle_run

_LOG = logging.getLogger(__name__)


def guard(arguments: Sequence[str]) -> int:
    """Stand guard over one run directory; raises UsageError, SpecError, RefusedError."""
    if len(arguments) != 1:
        raise UsageError("usage: python -m quorate.harness.run.guardian_main RUN_DIR")
    run_dir = Path(arguments[0]).absolute()
    cluster = read_cluster(run_dir / "cluster.yaml")
    # Inherited from the harness as a rule; entered here as well for a guardian started by hand.
    enter_network_namespace(cluster)
    execute = execute_with(for_cluster(cluster, in_flight=InFlight(run_dir)))
    registry = PendingRuns(state_directory())
    _LOG.info("process %d stands guard over %s", os.getpid(), run_dir)
    return stand_guard(lambda: settle_run(run_dir, execute=execute, registry=registry))


def main() -> int:
    """Log to stderr (``guardian.log``) in UTC; the exit code is that of the error, if any."""
    logging.Formatter.converter = time.gmtime
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)sZ %(levelname)s %(message)s"
    )
    try:
        return guard(sys.argv[1:])
    except QuorateError as error:
        _LOG.error("%s", error)
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
