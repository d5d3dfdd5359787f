"""Every error that quorate raises on purpose, with the exit code that it ends in.

::

    QuorateError                      exit code
    ├── SpecError                     2  a file (or mapping) says something that is not allowed
    ├── UsageError                    2  the command line asks for something that is not offered
    ├── RefusedError                  3  looked, and did not begin: pending undo, lock, target, …
    ├── PreflightError                3  something that this machine needs is missing
    ├── TransportError                3  a command could not be run on a node
    │   ├── NodeUnreachable           3  no way to the node
    │   ├── CommandTimeout            3  the command did not end in time and was killed
    │   ├── CommandFailed             3  the command ended with a code other than 0
    │   └── SudoRefused               3  sudo on the node does not let us; a RefusedError too
    ├── DriverError                   3  a system answered something that its driver cannot read
    │   └── Forbidden                 3  the API forbids it; a RefusedError too
    ├── FaultError                    3
    │   ├── InjectionFailed           3  the act raised
    │   ├── InjectionUnproved         3  the act returned, yet nothing shows that the fault bit
    │   ├── UndoUnconfirmed           4  one undo ran (or could not), and the fault may still be on
    │   └── UndoFailed                4  a settlement left something; outranks all others
    ├── ProbeError                    3  a probe could not be started
    ├── StoreError                    3  a run directory cannot be written or read
    ├── LabError                      3  the lab could not be built, started or stopped
    └── Interrupted                   3  a signal ended the run; what was on has been undone

``str(error)`` is the whole message for a person: what is wrong, where, and the way out.
Exit codes are those of design.md; 0 (MET) and 1 (MISSED) are verdicts, not errors.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

STDERR_TAIL_CHARS = 2000
"""How much of a command's stderr a message carries: enough for a stack trace's end."""


class QuorateError(Exception):
    """Root of the tree; never raised itself. ``exit_code`` is what the process ends with."""

    exit_code: ClassVar[int] = 3


class SpecError(QuorateError):
    """A file says something that is not allowed: ``file:line: field: found …, allowed: …``.

    ``file`` is None where no file was handed over (under ``chaos``), ``line`` is counted from 1,
    ``field`` is the path of the value (``objectives[0].of``), ``found`` and ``allowed`` are text
    for people; a sequence of allowed words is joined by commas.
    """

    exit_code = 2

    def __init__(
        self,
        file: Path | str | None,
        *,
        field: str,
        found: str,
        allowed: str | Sequence[str],
        line: int | None = None,
    ) -> None:
        self.file = file
        self.line = line
        self.field = field
        self.found = found
        self.allowed = allowed if isinstance(allowed, str) else ", ".join(allowed)
        place = "" if file is None else str(file)
        if line is not None:
            place = f"{place}:{line}" if place else f"line {line}"
        parts = [part for part in (place, field) if part]
        super().__init__(f"{': '.join(parts)}: found {found}, allowed: {self.allowed}")


class UsageError(QuorateError):
    """The command line asks for something that is not offered."""

    exit_code = 2


class RefusedError(QuorateError):
    """Looked at the cluster (or the disk) and did not begin; nothing was injected."""


@dataclass(frozen=True)
class Missing:
    """One thing that this machine lacks, and the command (a line to paste) that installs it."""

    what: str
    command: str


class PreflightError(QuorateError):
    """Everything that is missing, in one message, before anything is created."""

    def __init__(self, missing: Sequence[Missing]) -> None:
        self.missing = tuple(missing)
        lines = [f"  {item.what}\n      {item.command}" for item in self.missing]
        super().__init__("missing on this machine:\n" + "\n".join(lines))


class TransportError(QuorateError):
    """A command could not be run on a node. ``node`` is its name, ``argv`` what was asked.

    ``pasteable`` is the whole local command as one shell line, so that a person can try it.
    """

    def __init__(
        self, node: str, *, argv: Sequence[str], problem: str, pasteable: str = ""
    ) -> None:
        self.node = node
        self.argv = tuple(argv)
        self.pasteable = pasteable or shlex.join(self.argv)
        super().__init__(f"{node}: {problem}\n  try: {self.pasteable}")


class NodeUnreachable(TransportError):
    """No connection to the node, or it broke; whether the command ran is not known."""


class CommandTimeout(TransportError):
    """The command did not end within its timeout and was killed on this side.

    Over ssh the process on the node may outlive the connection.
    """


class CommandFailed(TransportError):
    """The command ended with a code other than 0; ``stderr`` is the tail of what it said."""

    def __init__(
        self, node: str, *, argv: Sequence[str], returncode: int, stderr: str, pasteable: str = ""
    ) -> None:
        self.returncode = returncode
        self.stderr = stderr[-STDERR_TAIL_CHARS:].strip()
        said = f": {self.stderr}" if self.stderr else " and said nothing"
        problem = f"{shlex.join(argv)} ended with {returncode}{said}"
        super().__init__(node, argv=argv, problem=problem, pasteable=pasteable)


class SudoRefused(TransportError, RefusedError):
    """sudo on the node did not run the command; ``said`` is the end of what it wrote.

    ``allow`` is the line in the node's sudoers that would allow it.
    """

    def __init__(
        self, node: str, *, argv: Sequence[str], user: str, said: str, pasteable: str = ""
    ) -> None:
        self.user = user
        self.allow = f"{user} ALL=(root) NOPASSWD: ALL"
        problem = (
            f"sudo does not let {user} run {shlex.join(argv)}: {said}\n"
            f"  a line in sudoers that does: {self.allow}   (quorate rights --sudoers {user})\n"
            "  or give the password: --ask-sudo-password, or $QUORATE_SUDO_PASSWORD"
        )
        super().__init__(node, argv=argv, problem=problem, pasteable=pasteable)


class DriverError(QuorateError):
    """A system (kube, etcd, haproxy, …) answered something that its driver cannot read."""


class Forbidden(DriverError, RefusedError):
    """The Kubernetes API forbids what was asked (403), and a look beforehand would have told so.

    ``asked``: the right, in words; ``user``: whose it is not, "" where the API does not say;
    ``granted_by``: the option of ``quorate rights`` whose manifest grants it, "" where none does.
    """

    def __init__(self, *asked: str, user: str, granted_by: Sequence[str]) -> None:
        self.asked = asked
        self.user = user
        lines = "".join(f"\n  {one}" for one in asked)
        options = " ".join(f"--{one}" for one in dict.fromkeys(granted_by))
        way_out = (
            f"quorate rights {options} | kubectl apply -f -" if options else "no manifest of ours"
        )
        super().__init__(
            f"the Kubernetes API does not allow {user or 'the user of the kubeconfig'} to{lines}\n"
            f"granted by: {way_out}"
        )


class FaultError(QuorateError):
    """Root of what can go wrong with one fault."""


class InjectionFailed(FaultError):
    """The act raised; the fault may be on, half on or off, and is undone like one that is on."""


class InjectionUnproved(FaultError):
    """The act returned, yet nothing independent of it shows that the fault bit."""


class UndoUnconfirmed(FaultError):
    """One undo ran, or could not be run, and nothing shows that its fault is off."""

    exit_code = 4


class UndoFailed(FaultError):
    """One undo or more did not succeed: the cluster may still be faulted.

    ``failures`` holds (undo's id, what went wrong) in the order tried; the cause (`__cause__`) is
    an ExceptionGroup of the same errors with their tracebacks.
    """

    exit_code = 4

    def __init__(self, failures: Sequence[tuple[str, Exception]], *, journal: Path | str) -> None:
        self.failures = tuple(failures)
        self.journal = journal
        lines = [f"  {undo_id}: {error}" for undo_id, error in self.failures]
        super().__init__(
            f"{len(self.failures)} undo(s) failed, the cluster may still be faulted "
            f"(journal {journal}):\n" + "\n".join(lines)
        )


class ProbeError(QuorateError):
    """A probe could not be started."""


class StoreError(QuorateError):
    """A run directory cannot be written, or is foreign, corrupt or newer than this version."""


class LabError(QuorateError):
    """The lab could not be built, started or stopped."""


class Interrupted(QuorateError):
    """A signal ended the run; what was on has been undone."""
