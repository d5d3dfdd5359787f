"""What the sampler needs to know about one probe: where to, how, how often, what is right.

Made by the probe catalogue, run by the sampler; it lies here because neither knows the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from quorate.harness.model.experiment import HARD_TIMEOUT_S
from quorate.harness.model.register import Register

VERSION_PLACE = "{version}"
"""Where the sampler puts the version that a watch is to begin at."""

IN_FLIGHT_MAX = 512
"""Requests of one probe under way at once; a tick beyond it is UNKNOWN. 20 Hz × 5 s needs 100."""


@dataclass(frozen=True)
class ClientCredentials:
    """A client's identity, as PEM text or as a bearer token; never written below a run
    directory."""

    ca_pem: str
    certificate_pem: str = field(repr=False, default="")
    key_pem: str = field(repr=False, default="")
    token: str = field(repr=False, default="")


@dataclass(frozen=True)
class ProbePlan:
    """One stream of HTTP requests, or of DNS questions.

    Args:
        host: an IPv4 or IPv6 address, never a name (the sampler looks nothing up).
        server_name: what the certificate must be valid for; "" is the address itself.
        credentials: None: plain HTTP.
        path: of the URL, with its query.
        connection: new: a TCP and TLS handshake for every request; reused: one for all.
        hard_timeout_s: how long one request is waited for, at least its largest deadline.
        status: codes that are right. body_contains: text that a right body holds.
        body: JSON (ASCII) that is sent, by a POST; empty: it is a GET.
        registers: asked in turn, in place of ``path``. writes: they are written, not only read.
        looks_up: a name that is asked for by DNS over UDP; no HTTP then.
        watches: ``path`` is that of a watch, and holds VERSION_PLACE.
    """

    host: str
    port: int
    path: str
    connection: Literal["new", "reused"]
    rate_hz: float
    credentials: ClientCredentials | None = None
    server_name: str = ""
    hard_timeout_s: float = HARD_TIMEOUT_S
    status: tuple[int, ...] = (200,)
    body_contains: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    in_flight_max: int = IN_FLIGHT_MAX
    registers: tuple[Register, ...] = ()
    writes: bool = False
    body: str = ""
    watches: bool = False
    looks_up: str = ""

    @property
    def requests(self) -> tuple[str, ...]:
        """The whole requests, asked in turn."""
        paths = [one.path for one in self.registers] or [self.path]
        if not self.body:
            return tuple(f"{self.head('GET', path)}\r\n" for path in paths)
        sent = f"Content-Type: application/json\r\nContent-Length: {len(self.body)}\r\n\r\n"
        return tuple(f"{self.head('POST', path)}{sent}{self.body}" for path in paths)

    def head(self, method: str, path: str) -> str:
        """A request's first line and fields, without the empty line that ends them; identity
        encoding, so that a body can be read as it comes."""
        authority = f"[{self.host}]" if ":" in self.host else self.host
        token = self.credentials.token if self.credentials else ""
        fields = {
            "Host": f"{authority}:{self.port}",
            "User-Agent": "quorate-sampler",
            "Accept": "application/json, */*",
            "Accept-Encoding": "identity",
            "Connection": "close" if self.connection == "new" else "keep-alive",
            **({"Authorization": f"Bearer {token}"} if token else {}),
            **self.headers,
        }
        return f"{method} {path} HTTP/1.1\r\n" + "".join(
            f"{name}: {value}\r\n" for name, value in fields.items()
        )
