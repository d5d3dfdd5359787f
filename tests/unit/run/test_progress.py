"""What a person is told: every event, and the state of things now and then."""

from __future__ import annotations

import errno
import io

from quorate.harness.run.progress import TextProgress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_log_gets_the_status_now_and_then() -> None:
    time = [0.0]
    stream = io.StringIO()
    progress = TextProgress(stream, quiet_s=5, now=lambda: time[0])
    for second in range(12):
        time[0] = float(second)
        progress.status(f"second {second}")
    assert [line.split()[-1] for line in stream.getvalue().splitlines()] == ["0", "5", "10"]


def test_a_terminal_rewrites_its_line() -> None:
    time = [0.0]
    stream = Terminal()
    progress = TextProgress(stream, now=lambda: time[0])
    progress.status("a long status")
    time[0] = 1.0
    progress.status("short")
    progress.say("it happened\nbecause of this")
    text = stream.getvalue()
    assert text.count("\n") == 2
    assert text.count("\r") >= 3
    assert "    1.0 s  it happened\n" in text
    assert text.endswith("           because of this\n")


class Gone(Terminal):
    """A terminal that was closed, or a pipe that nobody reads any more."""

    def write(self, text: str) -> int:
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")


def test_nobody_being_left_to_tell_stops_nothing() -> None:
    closed, gone = Terminal(), Gone()
    for stream in (closed, gone):
        progress = TextProgress(stream, now=lambda: 1.0)
        closed.close()
        progress.status("now")
        progress.say("it happened")
