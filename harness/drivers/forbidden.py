"""What an API server's 403 means, in words: which right is not there, and what would grant it."""

from __future__ import annotations

import re

from quorate.harness.errors import Forbidden
from quorate.harness.model.access import access_of
from quorate.harness.model.rights import granting

_USER = re.compile(rb'[Uu]ser \\?"([^"\\]+)')
"""`pods is forbidden: User "ops" cannot list …` (k8s.io/apiserver, responsewriters)."""


def forbidden(method: str, path: str, *, body: bytes) -> Forbidden:
    """The error for a request that was answered 403 with this body."""
    asked = access_of(method, path)
    found = _USER.search(body)
    part = granting(asked)
    return Forbidden(
        str(asked),
        user=found[1].decode(errors="replace") if found else "",
        granted_by=[part] if part else [],
    )
