"""A probe of a DNS server: one question by UDP at each tick, from a port of its own.

No answer is waited for twice and no question is asked again: a datagram that is lost is FAILED at
the hard timeout, where a resolver would ask again after some seconds. OK: an answer to the very
question, without an error, that holds an address. (RFC 1035, 4: the formats.)
"""

from __future__ import annotations

import errno
import selectors
import socket
import struct
from typing import Any

from .link import OURS
from .probe import Probe, Shot

_HEADER = struct.Struct("!6H")
_RECORD = struct.Struct("!HHIH")
_A, _AAAA, _IN = 1, 28, 1
_IS_ANSWER, _CUT_SHORT, _RECURSE = 0x8000, 0x0200, 0x0100
_POINTER = 0xC0
_BYTES_MAX = 4096


class BadMessage(Exception):
    """What came is no answer to what was asked."""


def question(name: str, *, number: int) -> bytes:
    """A query for the IPv4 addresses of a name, with this identifier."""
    labels = [label.encode("ascii") for label in name.rstrip(".").split(".")]
    asked = b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
    return _HEADER.pack(number, _RECURSE, 1, 0, 0, 0) + asked + struct.pack("!2H", _A, _IN)


def problem_in(message: bytes, *, asked: bytes) -> str:
    """Why an answer is no good one; empty where it is. Raises BadMessage, also for half a one."""
    try:
        _, flags, questions, answers, _, _ = _HEADER.unpack_from(message)
        if not flags & _IS_ANSWER or message[:2] != asked[:2] or questions != 1:
            raise BadMessage("not ours")
        place = len(asked)
        if message[_HEADER.size : place].lower() != asked[_HEADER.size :].lower():
            raise BadMessage("another question")
        if flags & 0xF:
            return f"rcode {flags & 0xF}"
        if flags & _CUT_SHORT:
            return "cut short"
        found = 0
        for _ in range(answers):
            place = _after_name(message, place)
            kind, _, _, length = _RECORD.unpack_from(message, place)
            place += _RECORD.size + length
            if place > len(message):
                raise BadMessage("half a record")
            found += kind in (_A, _AAAA)
    except (struct.error, IndexError):
        raise BadMessage("half a message") from None
    return "" if found else "no address"


def _after_name(message: bytes, place: int) -> int:
    while message[place]:
        if message[place] & _POINTER == _POINTER:
            return place + 2
        place += 1 + message[place]
    return place + 1


class _Asked:
    """One question under way; it has what a sample line says of a connection."""

    def __init__(self, handle: socket.socket, message: bytes) -> None:
        self.handle = handle
        self.message = message
        self.peer = ""
        self.stage = "answer"


class DnsProbe(Probe):
    """``plan`` has a name to look up in ``looks_up``; the target has no TLS."""

    def _fire(self, shot: Shot) -> None:
        handle = socket.socket(self._target.family, socket.SOCK_DGRAM)
        handle.setblocking(False)
        asked = _Asked(handle, question(self._plan["looks_up"], number=shot.k & 0xFFFF))
        shot.link = asked
        try:
            handle.connect(self._target.address)  # so that an ICMP error is told to us
            self._loop.watch(handle, selectors.EVENT_READ, lambda _: self._readable(shot, asked))
            handle.send(asked.message)
        except OSError as error:
            self._over(shot, outcome=outcome_of(error), detail=_reason(error))

    def _readable(self, shot: Shot, asked: _Asked) -> None:
        try:
            message = asked.handle.recv(_BYTES_MAX)
        except BlockingIOError:
            return
        except OSError as error:
            self._over(shot, outcome=outcome_of(error), detail=_reason(error))
            return
        try:
            problem = problem_in(message, asked=asked.message)
        except BadMessage as error:
            self._over(shot, outcome="FAILED", detail=f"answer: {error}")
            return
        self._over(shot, outcome="FAILED" if problem else "OK", detail=problem)

    def _expire(self, shot: Shot) -> None:
        self._over(shot, outcome="FAILED", detail="timeout")

    def _over(self, shot: Shot, *, outcome: str, detail: str) -> None:
        asked: Any = shot.link
        self._loop.forget(asked.handle)
        asked.handle.close()
        self._end(shot, outcome=outcome, detail=detail, link=asked)


_OURS = (OURS | {errno.ENETUNREACH}) - {errno.EPERM}
"""EPERM is how a datagram hears of a REJECT on its own machine (net/netfilter/core.c, nf_hook_slow:
a dropped packet is -EPERM): kube-proxy's, of a service without endpoints, told to all who ask."""


def outcome_of(error: OSError) -> str:
    return "UNKNOWN" if error.errno in _OURS else "FAILED"


def _reason(error: OSError) -> str:
    name = errno.errorcode.get(error.errno or 0, str(error.errno))
    return f"ours: {name}" if outcome_of(error) == "UNKNOWN" else name
