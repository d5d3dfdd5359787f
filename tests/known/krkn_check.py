"""krkn's own HTTP health check, run as krkn runs it; a program for the peers' environment.

    python krkn_check.py CHECKOUT URL INTERVAL_S SECONDS

CHECKOUT is krkn's repository, unmodified. Prints the periods that it reports as down, and the exit
code that it would end krkn with. Its timeout of 3 s is not an option.
"""

from __future__ import annotations

import importlib
import json
import logging
import queue
import sys
import threading
import time
from typing import Any


def main() -> None:
    checkout, url, interval_s, seconds = sys.argv[1:]
    sys.path.insert(0, checkout)
    logging.disable(logging.CRITICAL)
    module: Any = importlib.import_module("krkn.health_checks.http_health_check_plugin")
    plugin = module.HttpHealthCheckPlugin(iterations=1)
    config = {"interval": float(interval_s), "config": [{"url": url, "exit_on_failure": True}]}
    reported: queue.Queue[Any] = queue.Queue()
    worker = threading.Thread(target=plugin.run_health_check, args=(config, reported))
    worker.start()
    time.sleep(float(seconds))
    plugin.increment_iterations()
    worker.join()
    down_s = [one.duration for one in reported.get() if not one.status]
    print(json.dumps({"down_s": down_s, "exit_code": plugin.get_return_value()}))


if __name__ == "__main__":
    main()
