"""sudo in front of what an ordinary user's ssh runs; argv lists, and a password on stdin alone.

Without a password it is `sudo -n`, which never asks. With one it is `sudo -S`, which reads a line
of stdin, but only where it asks at all: with NOPASSWD, or a command that is exempt, the line would
be left for the command to read. So a line of ours follows it, and a few words of shell, root by
then, take all lines up to that one, however many sudo has taken. (A shell's `read` takes byte by
byte from a pipe: POSIX, read, "shall not" read beyond the line.)
"""

from __future__ import annotations

import re
from collections.abc import Sequence

BEGINS = "quorate-begins"
_SKIP = 'while IFS= read -r line; do [ "$line" = "$1" ] && break; done; shift; exec "$@"'
_ASKING = ("sudo", "-k", "-S", "-p", "")
"""-k: no remembered answer counts, so that it asks each time alike. -p: no prompt among what is
read as the command's stderr."""

CHECK_ARGV = (*_ASKING, "--", "true")
"""With the password and the end of stdin behind it: a wrong one is tried once, not three times."""

_REFUSED = re.compile(
    r"password is required|terminal is required|no tty present|no password was provided"
    r"|incorrect password|is not allowed to (?:execute|run)|not in the sudoers file"
    r"|may not run sudo|must have a tty|must be owned by uid 0|effective uid is not 0"
)
"""sudo's own words (sudo 1.8 and 1.9, src/sudo.c, plugins/sudoers/); it ends with 1 then."""

_NO_COMMAND = re.compile(r"^sudo: .*: command not found$", re.MULTILINE)
_NO_SUDO = re.compile(r"\bsudo: (?:command )?not found|command not found: sudo", re.MULTILINE)


def behind_sudo(argv: Sequence[str], *, asking: bool) -> tuple[str, ...]:
    """The argv as an ordinary user gives it. ``asking``: a password goes to stdin (`input_of`)."""
    if not asking:
        return ("sudo", "-n", "--", *argv)
    return (*_ASKING, "--", "sh", "-c", _SKIP, "quorate", BEGINS, *argv)


def input_of(password: str, stdin: bytes) -> bytes:
    """What goes to stdin before and with the command's own."""
    return f"{password}\n{BEGINS}\n".encode() + stdin


def refusal_in(returncode: int, stderr: str) -> str:
    """Why sudo ran nothing, in its own words; "" where it did."""
    if returncode == 127 and _NO_SUDO.search(stderr):
        return "the node has no sudo"
    if returncode != 1:
        return ""
    return next((line.strip() for line in stderr.splitlines() if _REFUSED.search(line)), "")


def is_no_command(returncode: int, stderr: str) -> bool:
    """Whether sudo found no such program: it says 1 where a shell says 127."""
    return returncode == 1 and bool(_NO_COMMAND.search(stderr))
