"""Holding signals back while something must not stop half-way."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

HELD = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM)
"""What ends a run from outside; by SIGALRM pytest-timeout tells that a test's time is over."""


@contextlib.contextmanager
def signals_held() -> Iterator[None]:
    """Keep what would end the run until the block ends, then deliver it.

    Handlers, not masks: a mask would be inherited by the commands run in the block. Outside the
    main thread nothing is done, since Python runs handlers only there. If the block raises, what
    was held is dropped: the error outranks the interruption, and the run ends anyway.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    held: list[int] = []

    def hold(number: int, _frame: FrameType | None) -> None:
        held.append(number)

    before = {number: signal.signal(number, hold) for number in HELD}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
    for late in dict.fromkeys(held):
        signal.raise_signal(late)
