"""A URL that a probe asks, taken apart; only what can be asked and written down is taken."""

from __future__ import annotations

import ipaddress
import re
from typing import NamedTuple
from urllib.parse import urlsplit

PORTS = {"http": 80, "https": 443}

_PLAIN = re.compile(r"[!-~]+")
"""ASCII that can be seen: what else there is would end a line of the request, or hide."""

_HOST = re.compile(
    r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*"
)


class Url(NamedTuple):
    """``host`` without brackets; ``target``: path and query, as a request asks for them."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def authority(self) -> str:
        """As the field Host has it: the port only where it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


def parse_url(text: str) -> Url:
    """The parts of a URL; ValueError says what is allowed.

    A user or a password is refused: an experiment is copied into every run directory.
    """
    if not _PLAIN.fullmatch(text):
        raise ValueError("a URL of ASCII without blanks (%-encoded where need be)")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError("a URL, http(s)://host[:port][/path][?query]") from None
    if parts.scheme not in PORTS:
        raise ValueError("a URL that begins with http:// or https://")
    if "@" in parts.netloc:
        raise ValueError("a URL without user and password: they would be written down in each run")
    if parts.fragment or text.endswith("#"):
        raise ValueError("a URL without #fragment: it is never sent")
    host = parts.hostname or ""
    if not _is_address(host) and not _HOST.fullmatch(host):
        raise ValueError("a URL with a host name or an IP address")
    if port == 0:
        raise ValueError("a port from 1 to 65535")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Url(parts.scheme, host, port or PORTS[parts.scheme], target)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
