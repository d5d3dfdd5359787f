"""The sampler on a node: started over a link, and independent of it from then on.

It leaves one folder below /run, which a reboot takes away, and one process::

    <probe>.jsonl   samples, as everywhere
    said.jsonl      what it would say on stdout
    log             what Python would say on stderr
    control         a FIFO; ``stop`` written into it ends sampling, and without a reader the
                    process is no more

Its first line on stdin: ``{"folder": …, "config": {…}}``, the outputs being names of files there.
Neither the credentials in it nor the program itself are written to any disk.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import Any

from .main import play

SAID, LOG, CONTROL = "said.jsonl", "log", "control"

KILL_AFTER_S = 60.0
"""After its deadline, when the kernel ends it in case that it does not end by itself: the longest
hard timeout is 20 s."""


def main() -> int:
    """Starts the process that stays, and returns 0 while it begins; 1 with a reason on stderr."""
    order = json.loads(_line())
    try:
        settle_in(order["folder"])
    except OSError as error:
        sys.stderr.write(f"{order['folder']}: {error.strerror or error}\n")
        return 1
    if os.fork():
        return 0
    os.setsid()
    attach(order["folder"])
    config = order["config"]
    signal.setitimer(signal.ITIMER_REAL, float(config["lasts_s"]) + KILL_AFTER_S)
    return play(json.dumps(placed(config, order["folder"])).encode())


def _line() -> bytes:
    """Byte by byte from the descriptor: nothing behind the line is taken."""
    data = bytearray()
    while not data.endswith(b"\n"):
        byte = os.read(0, 1)
        if not byte:
            break
        data += byte
    return bytes(data)


def settle_in(folder: str) -> None:
    """Makes the folder, which must not be there: each start has one of its own."""
    os.umask(0o077)
    os.makedirs(os.path.dirname(folder), exist_ok=True)
    os.mkdir(folder)
    os.mkfifo(os.path.join(folder, CONTROL))


def attach(folder: str) -> None:
    """Stdin is the FIFO, held open by ourselves so that it never ends; all that came
    with the link is let go (a lock that is inherited would be held for as long as we live)."""
    append = os.O_WRONLY | os.O_APPEND | os.O_CREAT
    for number, name, flags in ((0, CONTROL, os.O_RDWR), (1, SAID, append), (2, LOG, append)):
        handle = os.open(os.path.join(folder, name), flags, 0o600)
        os.dup2(handle, number)
        os.close(handle)
    for number in map(int, os.listdir("/proc/self/fd")):
        if number > 2 and f"/proc/self/fd/{number}" not in sys.path:  # the program itself
            try:
                os.close(number)
            except OSError:
                pass  # that of the listing


def placed(config: dict[str, Any], folder: str) -> dict[str, Any]:
    """The configuration with its outputs in that folder."""
    for one in [*config["probes"], config["control"]]:
        one["output"] = os.path.join(folder, one["output"])
    return config
