"""Processes, containers and workloads: parsed from real lines; the scripts run for real."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from quorate.harness.drivers.containers import Container, ContainerDriver, parse_tasks
from quorate.harness.drivers.processes import (
    NONE_STOPPED,
    Process,
    ProcessDriver,
    parse_table,
    processes_of,
    resume_argv,
    signal_argv,
    state_of,
    stopped_argv,
    tree,
    words_of,
)
from quorate.harness.drivers.workloads import WorkloadDriver
from quorate.harness.errors import DriverError, RefusedError
from quorate.harness.transport import MemoryTransport, Reply

REST = "0 -1 4194560 1 2 1 1 10 6 28 15 20 0 1 0"


def line(pid: int, parent: int, *, state: str = "S", start: int = 100, name: str = "x") -> str:
    return f"{pid} ({name}) {state} {parent} {pid} {pid} {REST} {start} 20299776 2931"


TABLE = "\n".join(
    [
        line(1, 0, name="systemd"),
        line(61, 1, name="haproxy", start=150),
        line(91, 61, name="odd ) name (", start=151),
        line(92, 91, start=152),
        line(385, 215, name="kube-apiserver", start=900),
    ]
)


def test_the_table_knows_parents_and_starts() -> None:
    table = parse_table(TABLE + "\nnot a line\n")
    assert tree(table, 61) == (Process(61, "150"), Process(91, "151"), Process(92, "152"))
    assert tree(table, 7) == ()


def test_a_pid_that_was_taken_by_another_is_another_process() -> None:
    table = parse_table(line(61, 1, state="T", start=150))
    assert state_of(table, Process(61, "150")) == "T"
    assert state_of(table, Process(61, "149")) is None
    assert state_of(parse_table(line(61, 1, state="Z", start=150)), Process(61, "150")) is None


def test_processes_are_remembered_as_words() -> None:
    both = (Process(61, "150"), Process(91, "151"))
    assert processes_of(words_of(both)) == both
    assert processes_of("") == ()


@pytest.fixture
def sleeper() -> Iterator[tuple[subprocess.Popen[bytes], Process]]:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    table = parse_table(Path(f"/proc/{child.pid}/stat").read_text())
    try:
        yield child, table[child.pid].process
    finally:
        child.kill()
        child.wait()


def said(argv: tuple[str, ...]) -> str:
    return subprocess.run(argv, capture_output=True, text=True, timeout=10).stdout.strip()


def test_stop_and_go_on(sleeper: tuple[subprocess.Popen[bytes], Process]) -> None:
    child, process = sleeper
    assert subprocess.run(signal_argv("STOP", [process]), timeout=10).returncode == 0
    _, status = os.waitpid(child.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    assert said(stopped_argv([process])) == f"stopped: {child.pid}"
    said(resume_argv("quorate_test", [process]))
    _, status = os.waitpid(child.pid, os.WCONTINUED)
    assert os.WIFCONTINUED(status)
    assert said(stopped_argv([process])) == "stopped:"


def test_another_start_is_left_alone(sleeper: tuple[subprocess.Popen[bytes], Process]) -> None:
    child, process = sleeper
    other = Process(process.pid, process.start + "1")
    done = subprocess.run(signal_argv("KILL", [other]), capture_output=True, timeout=10)
    assert done.returncode == 1
    assert child.poll() is None
    os.kill(child.pid, signal.SIGSTOP)
    os.waitpid(child.pid, os.WUNTRACED)
    said(resume_argv("quorate_test", [other]))
    assert said(stopped_argv([process])) == f"stopped: {child.pid}", "somebody else's is not ours"


def test_kill(sleeper: tuple[subprocess.Popen[bytes], Process]) -> None:
    child, process = sleeper
    assert subprocess.run(signal_argv("KILL", [process]), timeout=10).returncode == 0
    assert child.wait(timeout=10) == -signal.SIGKILL


def test_one_that_ends_under_the_signal_spares_no_other(
    sleeper: tuple[subprocess.Popen[bytes], Process],
) -> None:
    child, process = sleeper
    pid = os.getpid()  # is found, and gone when it is signalled: the kill below says so
    ends = Process(pid, Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[19])
    shell, option, script, *words = signal_argv("KILL", [ends, process])
    kill = f'kill() {{ case $3 in {pid}) return 1;; esac; command kill "$@"; }}\n'
    done = subprocess.run([shell, option, kill + script, *words], timeout=10)
    assert done.returncode == 0
    assert child.wait(timeout=10) == -signal.SIGKILL


def test_resuming_what_is_gone_is_harmless() -> None:
    gone = Process(2**22 + 1, "1")
    assert subprocess.run(resume_argv("quorate_test", [gone]), timeout=10).returncode == 0
    assert said(stopped_argv([gone])) == "stopped:"
    assert NONE_STOPPED == "^stopped:$"


def test_no_script_has_what_systemd_would_replace() -> None:
    one = [Process(1, "2")]
    for argv in (resume_argv("tag", one), stopped_argv(one), signal_argv("STOP", one)):
        assert "${" not in " ".join(argv)


TASKS = """\
TASK      PID    STATUS
aaa       385    RUNNING
bbb       0      STOPPED
"""


def ctr(*ids: str) -> MemoryTransport:
    transport = MemoryTransport().on("sh", reply=Reply("/usr/local/bin/ctr\n"))
    transport.on("ctr", "-n", "k8s.io", "containers", reply=Reply("\n".join(ids)))
    transport.on("ctr", "-n", "k8s.io", "tasks", reply=Reply(TASKS))
    return transport


def test_ctr_tells_the_one_that_runs_from_those_that_have_ended() -> None:
    assert parse_tasks(TASKS) == {"aaa": 385}
    driver = ContainerDriver(ctr("aaa", "bbb"))
    assert driver.running("cp1", "kube-apiserver") == Container("aaa", 385)
    assert ContainerDriver(ctr("bbb")).running("cp1", "kube-apiserver") is None


def test_crictl_is_preferred() -> None:
    transport = MemoryTransport().on("sh", reply=Reply("/usr/bin/crictl\n"))
    transport.on("crictl", "ps", reply=Reply("aaa\n"))
    transport.on("crictl", "inspect", reply=Reply('{"info": {"pid": 385}}'))
    assert ContainerDriver(transport).running("cp1", "etcd") == Container("aaa", 385)
    transport.on("crictl", "inspect", reply=Reply("{}"))
    with pytest.raises(DriverError, match="pid"):
        ContainerDriver(transport).running("cp1", "etcd")


def test_two_containers_of_one_name_are_no_answer() -> None:
    transport = ctr("aaa", "bbb")
    transport.on("ctr", "-n", "k8s.io", "tasks", reply=Reply("T P S\naaa 1 RUNNING\nbbb 2 RUNNING"))
    with pytest.raises(DriverError, match="2 running"):
        ContainerDriver(transport).running("cp1", "etcd")


def workloads(transport: MemoryTransport) -> WorkloadDriver:
    return WorkloadDriver(
        transport, containers=ContainerDriver(transport), processes=ProcessDriver(transport)
    )


def test_a_unit_is_found_with_all_its_processes() -> None:
    transport = MemoryTransport().on("sh", reply=Reply(TABLE))
    shown = "ActiveState=active\nMainPID=61\nInvocationID=feed\n"
    transport.on("systemctl", "show", reply=Reply(shown))
    found = workloads(transport).find("cp1", "haproxy")
    assert found is not None
    assert (found.how, found.identity, len(found.processes)) == ("unit", "feed", 3)


def test_where_nothing_runs_it_the_remedy_is_named() -> None:
    transport = MemoryTransport()
    with pytest.raises(RefusedError, match="crictl or ctr"):
        workloads(transport).demand("cp1", "etcd")


def test_the_sleeper_s_state_is_seen_within_a_moment(
    sleeper: tuple[subprocess.Popen[bytes], Process],
) -> None:
    child, process = sleeper
    os.kill(child.pid, signal.SIGSTOP)
    os.waitpid(child.pid, os.WUNTRACED)
    row = parse_table(Path(f"/proc/{child.pid}/stat").read_text())
    assert state_of(row, process) == "T"


MORTAL = "import ctypes, time; ctypes.CDLL(None).prctl(1, 9); print(flush=True); time.sleep(60)"
"""Ends when its parent does (PR_SET_PDEATHSIG, SIGKILL), as a unit's processes with their first."""
FAMILY = """
import subprocess, sys
each = [subprocess.Popen([sys.executable, "-c", sys.argv[1]], stdout=-1) for _ in range(8)]
for one in each:
    one.stdout.readline()
print(*(one.pid for one in each), flush=True)
each[0].wait()
"""


def test_those_that_end_with_the_first_are_no_failure() -> None:
    """systemd kills what is left of a unit when its main process has died (seen with HAProxy)."""
    argv = [sys.executable, "-c", FAMILY, MORTAL]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pids = [parent.pid, *map(int, parent.stdout.readline().split())]
        stats = "".join(Path(f"/proc/{pid}/stat").read_text() for pid in pids)
        table = parse_table(stats)
        done = subprocess.run(
            signal_argv("KILL", [table[pid].process for pid in pids]),
            capture_output=True,
            text=True,
            timeout=10,
        )
    assert (done.returncode, done.stderr) == (0, "")
    assert parent.returncode == -signal.SIGKILL
