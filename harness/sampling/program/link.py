"""One connection: TCP, TLS where asked, HTTP/1.1; every step non-blocking.

A link tells its owner two things: an answer came, or it broke and why. It never retries.
"""

from __future__ import annotations

import errno
import hashlib
import selectors
import socket
import ssl
import struct
from collections.abc import Callable
from typing import Any

from .answer import Answer, AnswerReader, BadAnswer
from .loop import Loop

_READ, _WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE

_RESET_AT_CLOSE = struct.pack("ii", 1, 0)
"""Plain connections go to pods through a NAT (kube-proxy), which remembers for 120 s whom an ended
connection from a port went to, if the client ended it. A client with twenty connections a second
is back at that port sooner, and would be sent to a pod that is no more. A reset is forgotten."""

OURS = frozenset(
    (
        errno.EMFILE,
        errno.ENFILE,
        errno.ENOBUFS,
        errno.ENOMEM,
        errno.EADDRNOTAVAIL,
        errno.EACCES,
        errno.EPERM,
    )
)
"""Errors that say something about this machine, nothing about the cluster: UNKNOWN."""


class Broken:
    """Why a link broke. ``ours``: the cause is on this side, so nothing is known."""

    __slots__ = ("ours", "reason")

    def __init__(self, reason: str, *, ours: bool = False) -> None:
        self.reason = reason
        self.ours = ours


class Target:
    """Where a link goes. ``context`` is None without TLS; ``name`` is what its certificate says."""

    def __init__(
        self, host: str, port: int, *, context: ssl.SSLContext | None = None, name: str = ""
    ) -> None:
        self.address = (host, port)
        self.family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.context = context
        self.name = name or host


class Link:
    """A connection being made, then in use, then closed.

    ``stage``: how far it got (connect, tls, answer). ``peer``: the first 8 hexadecimal digits of
    the SHA-256 of the certificate that answered, "" without TLS.
    """

    def __init__(
        self,
        loop: Loop,
        target: Target,
        *,
        on_answer: Callable[[Link, Answer], None],
        on_broken: Callable[[Link, Broken], None],
        reader: AnswerReader | None = None,
    ) -> None:
        self.stage = "connect"
        self.peer = ""
        self.closed = False
        self._loop = loop
        self._target = target
        self._on_answer = on_answer
        self._on_broken = on_broken
        self._socket: Any = None
        self._out = bytearray()
        self._reader = reader or AnswerReader()

    def open(self) -> None:
        """Begins to connect; what fails at once is told through ``on_broken`` like all else."""
        try:
            self._socket = socket.socket(self._target.family, socket.SOCK_STREAM)
            self._socket.setblocking(False)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._target.context is None:
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_CLOSE)
            code = self._socket.connect_ex(self._target.address)
        except OSError as error:
            self._break(_of_errno(error.errno, ours=True))
            return
        if code not in (0, errno.EINPROGRESS):
            # No route at once is this machine's routing table; later it is a router's word.
            self._break(_of_errno(code, ours=code == errno.ENETUNREACH))
            return
        self._loop.watch(self._socket, _WRITE, self._on_ready)

    def send(self, request: bytes) -> None:
        """Sends a request as soon as the connection can carry it."""
        self._out += request
        if self.stage == "answer" and not self.closed:
            self._on_ready(_WRITE)

    def close(self) -> None:
        """Ends it without a word to the owner."""
        self.closed = True
        if self._socket is not None:
            self._loop.forget(self._socket)
            self._socket.close()
            self._socket = None

    def _on_ready(self, events: int) -> None:
        try:
            if self.stage == "connect":
                self._connected()
            if self.stage == "tls" and not self.closed:
                self._handshake()
            if self.stage == "answer" and not self.closed:
                self._exchange()
        except ssl.SSLCertVerificationError as error:
            self._break(Broken(f"tls: {error.verify_message}"))
        except ssl.SSLEOFError:
            self._break(Broken("eof"))
        except ssl.SSLError as error:
            self._break(Broken(f"tls: {error.reason or error}"))
        except BadAnswer as error:
            self._break(Broken(f"answer: {error}"))
        except OSError as error:
            self._break(_of_errno(error.errno))
        except Exception as error:  # the sampler loop: whatever it is, it is ours
            self._break(Broken(f"ours: {type(error).__name__}: {error}", ours=True))

    def _connected(self) -> None:
        code = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            self._break(_of_errno(code))
            return
        if self._target.context is None:
            self.stage = "answer"
            return
        self._loop.forget(self._socket)  # wrapping moves the descriptor into another object
        self._socket = self._target.context.wrap_socket(
            self._socket, server_hostname=self._target.name, do_handshake_on_connect=False
        )
        self.stage = "tls"

    def _handshake(self) -> None:
        try:
            self._socket.do_handshake()
        except ssl.SSLWantReadError:
            self._loop.watch(self._socket, _READ, self._on_ready)
        except ssl.SSLWantWriteError:
            self._loop.watch(self._socket, _WRITE, self._on_ready)
        else:
            certificate = self._socket.getpeercert(binary_form=True) or b""
            self.peer = hashlib.sha256(certificate).hexdigest()[:8] if certificate else ""
            self.stage = "answer"

    def _exchange(self) -> None:
        wanted = _READ
        while self._out:
            try:
                sent = self._socket.send(self._out)
            except (BlockingIOError, ssl.SSLWantWriteError):
                wanted = _READ | _WRITE
                break
            except ssl.SSLWantReadError:
                break
            del self._out[:sent]
        self._loop.watch(self._socket, wanted, self._on_ready)
        while not self.closed:
            try:
                data = self._socket.recv(65536)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return
            if not data:
                self._ended()
                return
            for answer in self._reader.feed(data):
                if not self.closed:
                    self._on_answer(self, answer)

    def _ended(self) -> None:
        answer = self._reader.end()
        if answer is not None:
            self._on_answer(self, answer)
        if self._socket is not None:  # the owner may have closed it by now
            self._break(Broken("eof"))

    def _break(self, why: Broken) -> None:
        self.close()
        self._on_broken(self, why)


def _of_errno(code: int | None, *, ours: bool = False) -> Broken:
    name = errno.errorcode.get(code or 0, str(code))
    ours = ours or code in OURS
    return Broken(f"ours: {name}" if ours else name, ours=ours)
