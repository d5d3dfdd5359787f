from __future__ import annotations

import pytest

from quorate.harness.errors import CommandFailed, NodeUnreachable
from quorate.harness.transport import MemoryTransport, Reply
from quorate.harness.transport.dispatch import DispatchTransport


def test_it_records_and_answers_with_the_newest_rule_that_fits() -> None:
    transport = MemoryTransport()
    transport.on("systemctl", reply=Reply(stdout="active"))
    transport.on("systemctl", reply=Reply(stdout="failed", returncode=3), node="cp2", times=1)
    assert transport.run("cp1", ["systemctl", "is-active"]).stdout == "active"
    assert transport.run("cp2", ["systemctl", "is-active"]).returncode == 3
    assert transport.run("cp2", ["systemctl", "is-active"]).returncode == 0
    assert transport.run("cp2", ["ip", "addr"], stdin=b"x").stdout == ""
    assert [call.node for call in transport.calls] == ["cp1", "cp2", "cp2", "cp2"]
    assert transport.calls[-1].stdin == b"x"


def test_check_and_scripted_errors_raise() -> None:
    gone = NodeUnreachable("cp1", argv=["x"], problem="gone")
    transport = (
        MemoryTransport().on("x", reply=Reply(error=gone)).on("y", reply=Reply(returncode=1))
    )
    with pytest.raises(NodeUnreachable):
        transport.run("cp1", ["x"])
    with pytest.raises(CommandFailed):
        transport.check("cp1", ["y"])


def test_a_stream_says_its_lines_and_ends() -> None:
    transport = MemoryTransport().on("follow", reply=Reply(stdout="a\nb\n", returncode=2))
    with transport.stream("cp1", ["follow"]) as stream:
        assert stream.poll() is None
        assert list(stream) == ["a", "b"]
        assert stream.poll() == 2
    assert transport.calls[0].kind == "stream"


def test_harness_is_this_machine_and_everything_else_is_not() -> None:
    here, there = MemoryTransport(), MemoryTransport()
    transport = DispatchTransport(local=here, remote=there)
    transport.run("harness", ["a"])
    transport.check("cp1", ["b"])
    transport.stream("cp1", ["c"]).close()
    assert [call.argv for call in here.calls] == [("a",)]
    assert [call.argv for call in there.calls] == [("b",), ("c",)]
