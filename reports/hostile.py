"""Text that came from a cluster (or a file that anybody may have changed), made fit to be shown.

Escaping belongs to each format; this is about what no format should carry: control characters,
which move a terminal's cursor or are no XML, and signs that turn the direction of writing, by which
one text can look like another. They are spelled out, never dropped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

LONGEST = 2000
"""Characters of one text that a report repeats; what is more is counted, and lies in the run's
own files."""

_UNFIT = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff"
    "\ud800-\udfff]"
)
"""All but tab and newline."""

_SECRET_WORD = re.compile(
    r"(?i)(pass(word|wd|phrase)?|secret|token|api[-_]?key|credential|webhook)s?$"
)
_SECRET_PAIR = re.compile(r"(?i)(pass(word|wd|phrase)?|secret|token|api[-_]?key|webhook)s?=.+")
_USER_IN_URL = re.compile(r"(?<=://)[^/@\s:]+:[^/@\s]+(?=@)")
MASK = "•••"


def plain(text: object, *, at_most: int = LONGEST) -> str:
    """The text without what is not fit to be shown, and not longer than ``at_most`` and a note."""
    given = str(text)
    kept = _UNFIT.sub(_spelled, given[:at_most].replace("\r\n", "\n"))
    more = len(given) - at_most
    return f"{kept}… ({more} characters more)" if more > 0 else kept


def unbroken(text: object) -> str:
    """The same without line ends, its indentation kept: a line of a report for people."""
    return plain(text).replace("\n", " ")


def one_line(text: object, *, at_most: int = LONGEST) -> str:
    """The same on one line: a newline would begin another record, or another attribute."""
    return " ".join(plain(text, at_most=at_most).split())


def words(given: object) -> tuple[str, ...]:
    """A list of names out of an event's data; nothing where there is no list."""
    if isinstance(given, str) or not isinstance(given, Sequence):
        return ()
    return tuple(one_line(word) for word in given)


def masked(argv: Iterable[str]) -> tuple[str, ...]:
    """A command without what its own words call a secret: reports are sent on, and a power switch's
    command may hold its password. Known are ``--password X``, ``password=X``, ``-P X`` of ipmitool
    and ``scheme://user:password@``."""
    shown: list[str] = []
    hide = False
    for word in argv:
        if hide:
            shown.append(MASK)
            hide = False
            continue
        ipmi = word == "-P" and any("ipmi" in before for before in shown)
        hide = ipmi or (word.startswith("-") and bool(_SECRET_WORD.search(word)))
        pair = _SECRET_PAIR.search(word)
        if pair is not None:
            word = f"{word[: word.index('=', pair.start()) + 1]}{MASK}"
        shown.append(_USER_IN_URL.sub(MASK, word))
    return tuple(shown)


def _spelled(match: re.Match[str]) -> str:
    code = ord(match.group())
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
