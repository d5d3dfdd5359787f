"""sudoers lines for an ssh user who is not root."""

from __future__ import annotations

import re

from quorate.harness.errors import UsageError

COMMANDS = (
    *("cat", "crictl", "ctr", "curl", "ip", "nft", "python3", "sed", "sh", "socat", "systemctl"),
    *("systemd-run", "true"),
)
"""First words of all that is run on nodes; a test holds it against the code."""

_USER = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")


def sudoers_text(user: str) -> str:
    """A file for /etc/sudoers.d on every node. UsageError for what is no user's name."""
    if not _USER.fullmatch(user):
        raise UsageError(f"--sudoers {user!r}: no name of a user")
    listed = ", ".join(f"/usr/bin/{one}, /usr/sbin/{one}" for one in COMMANDS)
    return f"""\
# For /etc/sudoers.d/{user} on every node of cluster.yaml, mode 0440; look at it with visudo -c.
# Whoever may run this is root there: quorate cuts networks, stops units and kills processes, and
# sh, python3 and systemd-run can do anything. Guard the key of {user} like root's.
Defaults:{user} !requiretty
{user} ALL=(root) NOPASSWD: ALL

# Fewer words, and no less than root, since sh is among them; the log names the same commands. In
# place of the line above (where your programs lie elsewhere, say where):
# {user} ALL=(root) NOPASSWD: {listed}

# With a password (--ask-sudo-password, or $QUORATE_SUDO_PASSWORD), in place of both:
# {user} ALL=(root) ALL
"""
