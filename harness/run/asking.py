"""Asking a person for what stands in no file."""

from __future__ import annotations

import getpass
import sys

from quorate.harness.errors import UsageError
from quorate.harness.undo import sudo_password


def ask_for_sudo() -> None:
    """The password for sudo on the nodes, from a terminal and not shown. UsageError elsewhere."""
    if not sys.stdin.isatty():
        raise UsageError(
            "--ask-sudo-password asks at a terminal, and stdin is none: "
            f"put the password into ${sudo_password.VARIABLE}"
        )
    sudo_password.keep(getpass.getpass("password for sudo on the nodes: "))
