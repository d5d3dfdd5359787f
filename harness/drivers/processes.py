"""Processes of a node: what runs, since when, in which state, and signals to exactly these.

A process is its pid *and* its start (field 22 of /proc/<pid>/stat, proc(5)): a pid alone may be
somebody else's by the time that a signal is sent. The scripts are constant, data are arguments,
and none has a brace after a dollar sign: a dead man's switch hands them to systemd, which would
replace those.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from quorate.harness.transport import Transport

TABLE_ARGV = ("sh", "-c", "cat /proc/[0-9]*/stat 2>/dev/null; true")

_STATE = "state() { sed 's/^.*) //' \"/proc/$1/stat\" 2>/dev/null | cut -d' ' -f1,20; }\n"

# All are stopped before the signal, so that none of them can react to the others' end: a keepalived
# whose parent has died would say goodbye. One that ends meanwhile (a pod's probe) spares no other;
# nor do those that systemd kills at once when their unit's main process has died.
_SIGNAL = f"""{_STATE}
signal=$1; shift
pids=
while [ $# -ge 2 ]; do
    case "$(state "$1")" in ?" $2") pids="$pids $1";; esac
    shift 2
done
stopped=
for pid in $pids; do kill -s STOP "$pid" && stopped="$stopped $pid"; done
[ -n "$stopped" ] || {{ echo 'none of these processes is there any more' >&2; exit 1; }}
sent=
for pid in $stopped; do kill -s "$signal" "$pid" 2> /dev/null && sent=1; done
[ -n "$sent" ] || {{ echo 'none of these processes is there any more' >&2; exit 1; }}
"""

# What it finds stopped goes to the node's log: it shows, later and to others, that it had been so.
_RESUME = f"""{_STATE}
tag=$1; shift
while [ $# -ge 2 ]; do
    if [ "$(state "$1")" = "T $2" ]; then
        echo "process $1 was stopped" | systemd-cat -t "$tag"
        kill -s CONT "$1"
    fi
    shift 2
done
"""

_STOPPED = f"""{_STATE}
stopped=
while [ $# -ge 2 ]; do
    if [ "$(state "$1")" = "T $2" ]; then stopped="$stopped $1"; fi
    shift 2
done
echo "stopped:$stopped"
"""

_LOGGED = 'journalctl --sync 2>/dev/null; journalctl -b -q -o cat --no-pager -t "$1"'

# Prints the words of every process of a program, one a line; its own first.
_WORDS = """\
words() {
    for one in $(grep -l -a -F -e "$1" /proc/[0-9]*/cmdline 2>/dev/null); do
        first=$(tr '\\0' '\\n' 2>/dev/null < "$one" | head -n 1)
        case $first in "$1"|*/"$1") tr '\\0' '\\n' 2>/dev/null < "$one";; esac
    done
}
"""
_PRINT_WORDS = f'{_WORDS}words "$1"\n'
_AWAIT_WORD = f"""{_WORDS}
until words "$1" | grep -q -x -F -e "$2"; do sleep 1; done
"""

NONE_STOPPED = r"^stopped:$"
"""What `stopped_argv` prints when none of the processes is stopped, or there any more."""


@dataclass(frozen=True)
class Process:
    """One process and no other: `start` is in clock ticks since boot."""

    pid: int
    start: str

    def __str__(self) -> str:
        return f"{self.pid}:{self.start}"


@dataclass(frozen=True)
class Row:
    """One line of the process table; `state` is proc(5)'s letter, T for stopped."""

    process: Process
    parent: int
    state: str


Table = Mapping[int, Row]


def words_of(processes: Iterable[Process]) -> str:
    """The processes as text, to be remembered in a plan."""
    return " ".join(map(str, processes))


def processes_of(words: str) -> tuple[Process, ...]:
    """The inverse of `words_of`."""
    pairs = (word.split(":") for word in words.split())
    return tuple(Process(int(pid), start) for pid, start in pairs)


def parse_table(text: str) -> dict[int, Row]:
    """The lines of /proc/*/stat; what is no such line is left out."""
    table = {}
    for line in text.splitlines():
        pid, _, rest = line.partition(" (")
        fields = rest.rpartition(") ")[2].split()
        if pid.isdigit() and len(fields) > 19:
            row = Row(Process(int(pid), fields[19]), int(fields[1]), fields[0])
            table[row.process.pid] = row
    return table


def tree(table: Table, root: int) -> tuple[Process, ...]:
    """A process and all its descendants, children after their parents; () if it is not there."""
    if root not in table:
        return ()
    found = [root]
    for pid in found:
        found += sorted(row.process.pid for row in table.values() if row.parent == pid)
    return tuple(table[pid].process for pid in found)


def state_of(table: Table, process: Process) -> str | None:
    """The state's letter; None when the process has ended, whoever has its pid now."""
    row = table.get(process.pid)
    return row.state if row and row.process == process and row.state not in "ZX" else None


def signal_argv(signal: str, processes: Iterable[Process]) -> tuple[str, ...]:
    """Send KILL or STOP to those that are still there; ends with 1 when none is."""
    return ("sh", "-c", _SIGNAL, "quorate", signal, *_pairs(processes))


def resume_argv(tag: str, processes: Iterable[Process]) -> tuple[str, ...]:
    """Let those go on that are stopped, and log so under `tag`; harmless where none is."""
    return ("sh", "-c", _RESUME, "quorate", tag, *_pairs(processes))


def stopped_argv(processes: Iterable[Process]) -> tuple[str, ...]:
    """Prints "stopped:" and the pids of those that are."""
    return ("sh", "-c", _STOPPED, "quorate", *_pairs(processes))


def words_argv(program: str) -> tuple[str, ...]:
    """Prints the command line of every process of a program, one word a line."""
    return ("sh", "-c", _PRINT_WORDS, "quorate", program)


def await_word_argv(program: str, word: str) -> tuple[str, ...]:
    """Ends when a process of the program has `word` in its command line."""
    return ("sh", "-c", _AWAIT_WORD, "quorate", program, word)


def _pairs(processes: Iterable[Process]) -> list[str]:
    return [word for one in processes for word in (str(one.pid), one.start)]


class ProcessDriver:
    """The process table of a node. Changes nothing."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def table(self, node: str) -> dict[int, Row]:
        """All processes now, by pid; TransportError when the node cannot be asked."""
        return parse_table(self._transport.check(node, TABLE_ARGV, timeout_s=8.0).stdout)

    def words(self, node: str, program: str) -> tuple[str, ...]:
        """The words of the command lines of a program's processes; () where none runs."""
        return tuple(
            self._transport.check(node, words_argv(program), timeout_s=8.0).stdout.splitlines()
        )

    def logged(self, node: str, tag: str) -> tuple[str, ...]:
        """The lines that an undo left in the node's log of this boot, under `tag`."""
        asked = self._transport.run(node, ["sh", "-c", _LOGGED, "quorate", tag], timeout_s=8.0)
        return tuple(asked.stdout.splitlines())

    def answers(self, node: str, url: str) -> bool | None:
        """Whether a local HTTP server of the node says anything within 1.5 s; None: not known."""
        asked = self._transport.run(
            node, ["curl", "-sk", "-o", "/dev/null", "-m", "1.5", url], timeout_s=8.0
        )
        return None if asked.returncode == 127 else asked.returncode == 0
