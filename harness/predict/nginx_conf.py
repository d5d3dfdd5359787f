"""nginx.conf as text → directives → facts. Files that it includes are not followed.

The grammar is small (nginx.org, "Beginner's guide"): words, then `;` or a block; a `#` at a word's
beginning starts a comment, quotes and backslashes keep what would end a word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from quorate.harness.errors import DriverError
from quorate.harness.predict.facts import NginxFacts, NginxProxy, NginxServer

_TOKEN = re.compile(
    r"""(?P<space>\s+|\#[^\n]*)
      | (?P<mark>[;{}])
      | "(?P<double>(?:\\.|[^"\\])*)"(?=[\s;{])
      | '(?P<single>(?:\\.|[^'\\])*)'(?=[\s;{])
      | (?P<word>(?:\$\{[^}\n]*\}|\\.|[^\s;{}"'\\])(?:\$\{[^}\n]*\}|\\.|[^\s;{}\\])*)
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPED = re.compile(r"\\([\"'\\trn])")
_ESCAPES = {"t": "\t", "r": "\r", "n": "\n"}

_TIME = re.compile(r"(\d+)(ms|[smhdwMy])?")
_UNITS_S = {"ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0,
            "M": 2592000.0, "y": 31536000.0}  # fmt: skip
_ADDRESS = re.compile(r"(.*):(\d+)")
_PORT = re.compile(r"(?:^|:)(\d+)$")  # neither a socket's path nor a range of ports


@dataclass(frozen=True)
class Directive:
    """A name with its words; `block` is None where it ends with a semicolon."""

    name: str
    words: tuple[str, ...]
    line: int
    block: tuple[Directive, ...] | None = None


def parse_directives(text: str) -> tuple[Directive, ...]:
    """The directives of a whole file. DriverError names the line that is none."""
    return tuple(_block(_Tokens(text), inside=False))


def parse_nginx(text: str) -> NginxFacts:
    """Facts of the stream module. DriverError for what is no configuration, or no number."""
    proxies: dict[int, NginxProxy] = {}
    for stream in _named(parse_directives(text), "stream"):
        inherited = _settled(NginxProxy("", ()), stream.block or ())
        upstreams = {
            one.words[0]: tuple(_server(each) for each in _named(one.block or (), "server"))
            for one in _named(stream.block or (), "upstream")
            if one.words
        }
        for server in _named(stream.block or (), "server"):
            proxy = _settled(inherited, server.block or ())
            proxy = replace(proxy, servers=_behind(proxy.name, upstreams))
            for listen in _named(server.block or (), "listen"):
                if listen.words and (port := _PORT.search(listen.words[0])):
                    proxies[int(port[1])] = proxy
    return NginxFacts(proxies)


def _behind(name: str, upstreams: Mapping[str, tuple[NginxServer, ...]]) -> tuple[NginxServer, ...]:
    """An upstream's servers; what is no upstream's name is an address itself."""
    if name in upstreams:
        return upstreams[name]
    found = _ADDRESS.fullmatch(name)
    return (NginxServer(found[1], int(found[2])),) if found else ()


def _settled(proxy: NginxProxy, block: Sequence[Directive]) -> NginxProxy:
    changes: dict[str, Any] = {}
    for one in block:
        if one.name not in _SETTINGS:
            continue
        field, read = _SETTINGS[one.name]
        changes[field] = _read(one, read)
    return replace(proxy, **changes)


def _read(one: Directive, read: Any) -> Any:
    try:
        return read(one.words[0])
    except (ValueError, IndexError) as error:
        said = " ".join([one.name, *one.words])
        raise DriverError(f"nginx.conf:{one.line}: {said!r}: {error}") from None


def _server(one: Directive) -> NginxServer:
    found = _ADDRESS.fullmatch(one.words[0]) if one.words else None
    if found is None:
        said = " ".join(one.words)
        raise DriverError(f"nginx.conf:{one.line}: server {said!r}: no address with a port")
    server = NginxServer(found[1], int(found[2]))
    for word in one.words[1:]:
        key, _, value = word.partition("=")
        given = replace(one, words=(value,))
        if key == "max_fails":
            server = replace(server, max_fails=_read(given, int))
        elif key == "fail_timeout":
            server = replace(server, fail_timeout_s=_read(given, time_s))
    return server


def time_s(text: str) -> float:
    """Nginx's times: `1m 30s` without the space; a number without a unit is seconds."""
    found = list(_TIME.finditer(text))
    if not found or "".join(one[0] for one in found) != text:
        raise ValueError(f"{text!r} is no time")
    return sum(int(one[1]) * _UNITS_S[one[2] or "s"] for one in found)


def _on(text: str) -> bool:
    if text not in ("on", "off"):
        raise ValueError(f"{text!r} is neither on nor off")
    return text == "on"


_SETTINGS: Mapping[str, tuple[str, Any]] = {
    "proxy_pass": ("name", str),
    "proxy_connect_timeout": ("connect_timeout_s", time_s),
    "proxy_timeout": ("timeout_s", time_s),
    "proxy_next_upstream": ("next_upstream", _on),
    "proxy_next_upstream_tries": ("next_upstream_tries", int),
    "proxy_next_upstream_timeout": ("next_upstream_timeout_s", time_s),
}
"""Directive → field, and how its first word is read."""


def _named(directives: Sequence[Directive], name: str) -> list[Directive]:
    return [one for one in directives if one.name == name]


class _Tokens:
    """Words and marks, each with its line."""

    def __init__(self, text: str) -> None:
        self._all = self._split(text)
        self.line = 1

    def _split(self, text: str) -> Iterator[tuple[str, bool]]:
        """(text, whether it is a mark)"""
        position = 0
        while position < len(text):
            found = _TOKEN.match(text, position)
            if found is None:
                rest = text[position:].partition("\n")[0]
                raise DriverError(f"nginx.conf:{self.line}: cannot be read from {rest[:40]!r} on")
            if found["mark"]:
                yield found["mark"], True
            elif found["space"] is None:
                quoted = found["double"] if found["double"] is not None else found["single"]
                word = found["word"] if quoted is None else quoted
                yield _ESCAPED.sub(lambda one: _ESCAPES.get(one[1], one[1]), word), False
            self.line += found[0].count("\n")
            position = found.end()

    def __iter__(self) -> Iterator[tuple[str, bool]]:
        return self._all


def _block(tokens: _Tokens, *, inside: bool) -> Iterator[Directive]:
    words: list[str] = []
    line = tokens.line
    for text, is_mark in tokens:
        if not is_mark:
            line = line if words else tokens.line
            words.append(text)
            continue
        if text == "}" and inside and not words:
            return
        if text == "}" or not words:
            raise DriverError(f"nginx.conf:{tokens.line}: {text!r} ends no directive")
        block = tuple(_block(tokens, inside=True)) if text == "{" else None
        yield Directive(words[0], tuple(words[1:]), line, block)
        words = []
    if words or inside:
        raise DriverError(f"nginx.conf:{tokens.line}: the file ends within a directive or a block")
