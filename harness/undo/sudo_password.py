"""The password that sudo asks of an ordinary ssh user, where it asks for one.

It comes from the environment or from a terminal, is taken out of the environment at once (every
child would inherit it otherwise), and is handed on to the guardian alone, in its environment: what
that process may have to undo needs it when nobody is left to ask. It stands in no file, no argv, no
message.
"""

from __future__ import annotations

import os

VARIABLE = "QUORATE_SUDO_PASSWORD"

_kept: list[str] = []


def keep(password: str) -> None:
    """This one, for the life of this process."""
    _kept[:] = [password]


def sudo_password() -> str | None:
    """The password; None where nobody gave one. "" counts as none."""
    given = os.environ.pop(VARIABLE, "")
    if given:
        keep(given)
    return _kept[0] if _kept else None


def for_the_guardian() -> dict[str, str]:
    """What is to be added to its environment."""
    password = sudo_password()
    return {VARIABLE: password} if password is not None else {}
