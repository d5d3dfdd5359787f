"""haproxy.cfg as text → facts. Reads what the formulas need and passes over the rest."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field, replace
from typing import Any

from quorate.harness.errors import DriverError
from quorate.harness.predict.facts import HaproxyBackend, HaproxyFacts, HaproxyServer

_TIME = re.compile(r"(\d+)(us|ms|s|m|h|d)?")
_UNITS_S = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}

_SECTIONS = ("global", "defaults", "frontend", "backend", "listen")

# Words of a server line that are followed by a value of their own and concern us.
_VALUES = {"inter", "fastinter", "downinter", "fall", "rise", "on-marked-down", "addr", "port"}


@dataclass
class _Section:
    kind: str
    name: str
    backend: HaproxyBackend
    server: HaproxyServer = field(default_factory=lambda: HaproxyServer("", "", 0))
    http_check: bool = False
    ports: list[int] = field(default_factory=list)
    default_backend: str = ""


def parse_haproxy(text: str) -> HaproxyFacts:
    """Facts of one haproxy.cfg; a section inherits from the last ``defaults`` before it.

    Raises:
        DriverError: a quote is not closed, a number or a time is none; names the line.
    """
    sections: list[_Section] = []
    defaults = _Section("defaults", "", HaproxyBackend("", ()))
    current: _Section | None = None
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            words = shlex.split(line, comments=True)
            if words and words[0] in _SECTIONS:
                current = _open(words, defaults=defaults)
                sections.append(current)
                defaults = current if words[0] == "defaults" else defaults
            elif words and current is not None:
                _take(words, section=current)
        except (ValueError, IndexError) as error:
            raise DriverError(f"haproxy.cfg:{number}: {line.strip()!r}: {error}") from None
    return _facts(sections)


def _facts(sections: list[_Section]) -> HaproxyFacts:
    backends = {
        one.name: replace(one.backend, name=one.name)
        for one in sections
        if one.kind in ("backend", "listen")
    }
    binds = {}
    for one in sections:
        for port in one.ports:
            binds[port] = one.name if one.kind == "listen" else one.default_backend
    return HaproxyFacts(backends=backends, binds=binds)


def _open(words: list[str], *, defaults: _Section) -> _Section:
    name = words[1] if len(words) > 1 else ""
    if words[0] in ("global", "defaults"):
        return _Section(words[0], name, HaproxyBackend("", ()))
    return _Section(
        words[0],
        name,
        backend=replace(defaults.backend, name=name),
        server=defaults.server,
        http_check=defaults.http_check,
        default_backend=defaults.default_backend,
    )


def _take(words: list[str], *, section: _Section) -> None:
    key, rest = words[0], words[1:]
    if key == "timeout" and rest[0] in ("connect", "check", "client", "server"):
        timeout: dict[str, Any] = {f"timeout_{rest[0]}_s": _time_s(rest[1])}
        section.backend = replace(section.backend, **timeout)
    elif key == "retries":
        section.backend = replace(section.backend, retries=int(rest[0]))
    elif key in ("option", "no", "http-check"):
        _option(words, section=section)
    elif key == "bind":
        section.ports += [int(one.rpartition(":")[2]) for one in rest[0].split(",")]
    elif key == "default_backend":
        section.default_backend = rest[0]
    elif key == "default-server":
        section.server = _server_words(rest, base=section.server)
    elif key == "server":
        address, _, port = rest[1].rpartition(":")
        base = replace(section.server, name=rest[0], address=address, port=int(port))
        found = _server_words(rest[2:], base=base)
        section.backend = replace(section.backend, servers=(*section.backend.servers, found))


def _option(words: list[str], *, section: _Section) -> None:
    on = words[0] != "no"
    rest = words[1:] if on else words[2:]
    if words[0] == "http-check":
        if rest[:1] == ["send"] and "uri" in rest:
            uri = rest[rest.index("uri") + 1]
            section.backend = replace(section.backend, check_path=uri)
    elif rest[:1] == ["redispatch"]:
        after = int(rest[1]) if on and len(rest) > 1 else -1
        section.backend = replace(section.backend, redispatch=on, redispatch_after=after)
    elif rest[:1] == ["httpchk"]:
        paths = [word for word in rest[1:] if word.startswith("/")]
        path = paths[0] if paths else section.backend.check_path or "/"
        section.backend = replace(section.backend, check_path=path if on else None)
    elif rest[:1] == ["tcp-check"] and on:
        section.backend = replace(section.backend, check_path=None)


def _server_words(words: list[str], *, base: HaproxyServer) -> HaproxyServer:
    changes: dict[str, Any] = {}
    position = 0
    while position < len(words):
        word = words[position]
        value = words[position + 1] if word in _VALUES else ""
        if word in ("inter", "fastinter", "downinter"):
            changes[f"{word}_s"] = _time_s(value)
        elif word in ("fall", "rise"):
            changes[word] = int(value)
        elif word == "on-marked-down":
            changes["shutdown_sessions"] = value == "shutdown-sessions"
        elif word in ("check", "no-check"):
            changes["check"] = word == "check"
        elif word in ("check-ssl", "no-check-ssl"):
            changes["check_ssl"] = word == "check-ssl"
        position += 2 if value else 1
    return replace(base, **changes)


def _time_s(text: str) -> float:
    """HAProxy's times: a number with a unit, milliseconds where there is none."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no time")
    return int(match[1]) * _UNITS_S[match[2] or "ms"]
