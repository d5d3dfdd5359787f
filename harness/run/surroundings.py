"""What activities of other packages find while a run is live: the kubeconfig of its cluster.

They look where kubectl does, in `$KUBECONFIG`; whatever stood there may lead to another cluster.
The Kubernetes client reads that variable once, when it is imported, and the engine imports it
before a run is open: where it is there already, it is told as well.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

VARIABLE = "KUBECONFIG"
CLIENT, DEFAULT = "kubernetes.config.kube_config", "KUBE_CONFIG_DEFAULT_LOCATION"
"""The client's module, and what it made of the variable."""


class Surroundings:
    """Entered once a run is open; `leave` puts back what was there, and may be called always."""

    def __init__(self) -> None:
        self._before: str | None = None
        self._default: str | None = None
        self._entered = False

    def enter(self, kubeconfig: Path) -> None:
        self._before, self._entered = os.environ.get(VARIABLE), True
        os.environ[VARIABLE] = str(kubeconfig)
        if (client := sys.modules.get(CLIENT)) is not None:
            self._default = getattr(client, DEFAULT)
            setattr(client, DEFAULT, str(kubeconfig))

    def leave(self) -> None:
        if self._entered and self._before is None:
            os.environ.pop(VARIABLE, None)
        elif self._entered and self._before is not None:
            os.environ[VARIABLE] = self._before
        if self._default is not None:
            setattr(sys.modules[CLIENT], DEFAULT, self._default)
        self._entered, self._default = False, None
