"""What every transport promises, asked of each that really runs something."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from quorate.harness.errors import CommandFailed, CommandTimeout, NodeUnreachable, RefusedError
from quorate.harness.transport import Transport
from quorate.harness.undo.in_flight import InFlight

Make = Callable[[InFlight | None], tuple[Transport, str]]


@pytest.fixture
def there(make: Make) -> tuple[Transport, str]:
    return make(None)


def process_is_gone(pid: int, *, timeout_s: float = 5) -> bool:
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        return bool(poll.poll(timeout_s * 1000))
    finally:
        os.close(descriptor)


@pytest.mark.parametrize(
    "words",
    [
        ("a b", "c'd", '"', "$HOME", "`id`", "\\", "*", "", "-n", "a;b", "ä\n|&"),
        ("--",),
    ],
)
def test_words_arrive_as_they_are(there: tuple[Transport, str], words: tuple[str, ...]) -> None:
    transport, node = there
    result = transport.check(node, ["printf", "%s\\0", *words])
    assert tuple(result.stdout.split("\0")[:-1]) == words
    assert (result.node, result.argv[3:]) == (node, words[1:])


def test_a_code_is_told_by_run_and_raised_by_check(there: tuple[Transport, str]) -> None:
    transport, node = there
    argv = ["sh", "-c", "echo out; echo bad >&2; exit 3"]
    result = transport.run(node, argv)
    assert (result.returncode, result.stdout, result.stderr) == (3, "out\n", "bad\n")
    with pytest.raises(CommandFailed, match="ended with 3: bad") as caught:
        transport.check(node, argv)
    assert caught.value.returncode == 3


def test_a_program_that_is_not_there_is_code_127(there: tuple[Transport, str]) -> None:
    transport, node = there
    assert transport.run(node, ["no-such-program-here"]).returncode == 127


def test_stdin_arrives_and_ends(there: tuple[Transport, str]) -> None:
    transport, node = there
    data = bytes(range(256)) * 4096
    result = transport.check(node, ["sh", "-c", "wc -c; cat >&2"], stdin=data)
    assert result.stdout.strip() == str(len(data))
    assert transport.check(node, ["cat"]).stdout == ""


def test_at_the_timeout_the_command_and_all_it_started_are_killed(
    there: tuple[Transport, str], tmp_path: Path
) -> None:
    transport, node = there
    script = 'sleep 600 & echo $! > "$0"; sleep 600'
    started = time.monotonic()
    with pytest.raises(CommandTimeout, match="killed"):
        transport.run(node, ["sh", "-c", script, str(tmp_path / "pid")], timeout_s=0.5)
    assert time.monotonic() - started < 5
    assert process_is_gone(int((tmp_path / "pid").read_text()))


def test_a_command_that_leaves_a_daemon_behind_has_ended(
    there: tuple[Transport, str],
) -> None:
    transport, node = there
    result = transport.run(node, ["sh", "-c", "sleep 3 & echo done"], timeout_s=2)
    assert result.stdout == "done\n"
    assert result.elapsed_s < 2


def test_an_unknown_node_is_refused(there: tuple[Transport, str]) -> None:
    transport, _ = there
    with pytest.raises(RefusedError, match="cp9"):
        transport.run("cp9", ["true"])
    with pytest.raises(RefusedError, match="cp9"):
        transport.stream("cp9", ["true"])


def test_a_command_is_in_flight_until_it_ends(make: Make, tmp_path: Path) -> None:
    in_flight = InFlight(tmp_path)
    transport, node = make(in_flight)
    probe = ["sh", "-c", 'flock --nonblock --exclusive "$0" true', str(in_flight.path)]
    assert transport.run(node, probe).returncode == 1, "not held while the command runs"
    assert in_flight.is_free()


def test_lines_come_while_it_runs_and_it_ends_with_its_stdin(
    there: tuple[Transport, str],
) -> None:
    transport, node = there
    with transport.stream(
        node, ["sh", "-c", "read a; echo $a; read b; echo end"], stdin=b"1\n"
    ) as s:
        lines = iter(s)
        assert next(lines) == "1"
        assert s.poll() is None
        s.close_stdin()
        assert list(lines) == ["end"]
        assert s.ended


def test_a_stream_can_be_selected_on_and_read_in_pieces(there: tuple[Transport, str]) -> None:
    transport, node = there
    script = "printf 'a\\nb'; sleep 0.2; printf 'c\\nd'; echo why >&2"
    with transport.stream(node, ["sh", "-c", script]) as stream:
        seen: list[str] = []
        while not stream.ended:
            assert select.select([stream], [], [], 5)[0]
            seen += stream.read_lines()
        assert seen == ["a", "bc", "d"]
        assert stream.read_lines() == []
        assert stream.stderr_tail() == "why\n"


def test_closing_a_stream_kills_what_it_started(
    there: tuple[Transport, str],
) -> None:
    transport, node = there
    stream = transport.stream(node, ["sh", "-c", "sleep 600 & echo $!; wait"])
    pid = int(next(iter(stream)))
    stream.close()
    stream.close()
    assert process_is_gone(pid)
    assert stream.poll() is not None


def test_what_is_written_to_a_stream_that_is_over_is_no_error(
    there: tuple[Transport, str],
) -> None:
    transport, node = there
    with transport.stream(node, ["false"], stdin=b"x" * (1 << 21)) as stream:
        assert list(stream) == []


@pytest.mark.parametrize("make", ["ssh"], indirect=True)
def test_an_ssh_of_255_is_an_unreachable_node(stand_in: Path, make: Make) -> None:
    transport, node = make(None)
    (stand_in / "unreachable").touch()
    with pytest.raises(NodeUnreachable, match=r"cp1: unreachable over ssh: ssh: connect") as caught:
        transport.run(node, ["cat", "a b"])
    assert caught.value.pasteable.startswith("ssh -T -o BatchMode=yes")
    with transport.stream(node, ["true"]) as stream:
        assert list(stream) == []
        assert "no route" in stream.stderr_tail()
