"""Options of the user's own by which ssh would talk to any machine that answers."""

from __future__ import annotations

import re

from quorate.harness.model.cluster import Ssh

_UNCHECKED = re.compile(
    r"(?:-o)?\s*(?:StrictHostKeyChecking[\s=]+\"?(?:no|off)\b"
    r"|UserKnownHostsFile[\s=]+\"?(?:/dev/null|none)\b).*",
    re.IGNORECASE,
)


def unchecked(ssh: Ssh) -> tuple[str, ...]:
    """A warning for each option that turns the check of host keys off; quorate gives none such."""
    return tuple(
        f"ssh.options: {word!r}: whoever answers at a node's address is taken for the node, and "
        "gets what it is sent, as root; put the nodes' keys into known_hosts instead"
        for word in ssh.options
        if _UNCHECKED.fullmatch(word)
    )
