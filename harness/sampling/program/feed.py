"""Passes on what a sampler on this node has written, for as long as somebody listens.

Lines in:   {"ping": n}                 asked for the clock
            {"offsets": {file: bytes}}  begin to pass on, from there
            {"stop": true}              tell the sampler to end
Lines out:  {"pong": n, "ns": …}        CLOCK_MONOTONIC of this node
            {"file", "text", "next"}    whole lines of a file, and where those after them begin
            {"beat": ns, "alive", "quiet"}  after each look at all files: when it began, whether
                                        the sampler is there, whether there was nothing new
            {"gone": true}              there is no folder (any more): the node was started anew

It ends with its stdin, or when nobody takes what it says for SILENCE_S; it changes nothing.
"""

from __future__ import annotations

import errno
import json
import os
import select
import signal
import sys
import time
from typing import Any

from .detached import CONTROL, LOG
from .main import STOP

LOOK_S = 0.1
"""As often as the sampler writes."""

CHUNK_BYTES = 1 << 18

SILENCE_S = 60
"""A link that is cut leaves a writer that blocks; the kernel ends it then."""


class Feed:
    """One conversation."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._offsets: dict[str, int] | None = None
        self._input = b""

    def run(self) -> int:
        """Until stdin ends, or there is nothing to pass on."""
        due = time.monotonic()
        while True:
            signal.alarm(SILENCE_S)
            wait_s = max(0.0, due - time.monotonic())
            if select.select([0], [], [], wait_s)[0]:
                if not self._listen():
                    return 0
                continue
            due = time.monotonic() + LOOK_S
            if self._offsets is not None and not self._look(self._offsets):
                _say({"gone": True})
                return 0

    def _listen(self) -> bool:
        data = os.read(0, 65536)
        *lines, self._input = (self._input + data).split(b"\n")
        for line in lines:
            message = json.loads(line)
            if "ping" in message:
                _say({"pong": message["ping"], "ns": time.monotonic_ns()})
            elif "offsets" in message:
                self._offsets = dict(message["offsets"])
            elif "stop" in message:
                self._control(STOP + b"\n")
        return bool(data)

    def _look(self, offsets: dict[str, int]) -> bool:
        """All that is new; False where the folder is not there."""
        began = time.monotonic_ns()
        alive = self._control(b"")  # before the look: what it wrote before its end is seen
        try:
            names = sorted(os.listdir(self._folder))
        except FileNotFoundError:
            return False
        sent = [
            name
            for name in names
            if (name.endswith(".jsonl") or name == LOG) and self._pass_on(name, offsets)
        ]
        _say({"beat": began, "alive": alive, "quiet": not sent})
        return True

    def _pass_on(self, name: str, offsets: dict[str, int]) -> bool:
        at = offsets.get(name, 0)
        with open(os.path.join(self._folder, name), "rb") as file:
            file.seek(at)
            data = file.read(CHUNK_BYTES)
        whole = data[: data.rfind(b"\n") + 1]
        if whole:
            offsets[name] = at + len(whole)
            text = whole.decode("utf-8", "replace")
            _say({"file": name, "text": text, "next": offsets[name]})
        return bool(whole)

    def _control(self, word: bytes) -> bool:
        """Writes into the FIFO; whether somebody reads it."""
        try:
            handle = os.open(os.path.join(self._folder, CONTROL), os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            if error.errno in (errno.ENXIO, errno.ENOENT):
                return False
            raise
        try:
            if word:
                os.write(handle, word)
        finally:
            os.close(handle)
        return True


def _say(message: dict[str, Any]) -> None:
    data = json.dumps(message, separators=(",", ":")).encode() + b"\n"
    while data:
        data = data[os.write(1, data) :]


def main() -> int:
    """``sys.argv[-1]`` is the folder."""
    try:
        return Feed(sys.argv[-1]).run()
    except BrokenPipeError:
        return 0  # nobody listens any more
