"""log.txt of a run: what quorate and the Chaos Toolkit engine say, with the time of day in UTC."""

from __future__ import annotations

import logging
import time
from pathlib import Path

LOG_NAME = "log.txt"
LOGGERS = ("chaostoolkit", "quorate")


class RunLog:
    """Copies what the loggers say into a run's directory while it is open."""

    def __init__(self) -> None:
        self._handler: logging.Handler | None = None

    def open(self, directory: Path) -> None:
        path = directory / LOG_NAME
        path.touch(mode=0o600)
        handler = logging.FileHandler(path, encoding="utf-8")
        formatter = logging.Formatter("%(asctime)sZ %(levelname)s %(name)s: %(message)s")
        formatter.converter = time.gmtime
        handler.setFormatter(formatter)
        for name in LOGGERS:
            logger = logging.getLogger(name)
            logger.addHandler(handler)
            if logger.level == logging.NOTSET:
                logger.setLevel(logging.INFO)
        self._handler = handler

    def close(self) -> None:
        if self._handler is None:
            return
        for name in LOGGERS:
            logging.getLogger(name).removeHandler(self._handler)
        self._handler.close()
        self._handler = None
