"""Text that came from a cluster, made fit for a terminal."""

from __future__ import annotations


def plain(text: str) -> str:
    """One line without anything that steers a terminal: such characters are written out."""
    return "".join(one if one.isprintable() else _written_out(one) for one in text)


def _written_out(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
