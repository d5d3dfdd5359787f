"""What activities of other packages find while a run is live: the kubeconfig of its cluster.

They look where kubectl does, in `$KUBECONFIG`; whatever stood there may lead to another cluster.
"""

from __future__ import annotations

import os
from pathlib import Path

VARIABLE = "KUBECONFIG"


class Surroundings:
    """Entered once a run is open; `leave` puts back what was there, and may be called always."""

    def __init__(self) -> None:
        self._before: str | None = None
        self._entered = False

    def enter(self, kubeconfig: Path) -> None:
        self._before, self._entered = os.environ.get(VARIABLE), True
        os.environ[VARIABLE] = str(kubeconfig)

    def leave(self) -> None:
        if self._entered and self._before is None:
            os.environ.pop(VARIABLE, None)
        elif self._entered and self._before is not None:
            os.environ[VARIABLE] = self._before
        self._entered = False
