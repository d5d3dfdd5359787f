"""Reads HTTP/1.1 answers from a stream of bytes, as few as they come."""

from __future__ import annotations

from typing import NamedTuple

BODY_BYTES_MAX = 1 << 20
"""A probe asks for a page, not for a list of the world; more is a fault of the probe."""

_HEAD_BYTES_MAX = 1 << 16


class Answer(NamedTuple):
    """One whole answer. ``last``: the server closes the connection after it."""

    status: int
    body: bytes
    last: bool


class BadAnswer(Exception):
    """What came is no HTTP, or too much of it."""


class AnswerReader:
    """Collects bytes and hands out answers; one reader a connection."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._head: tuple[int, dict[bytes, bytes]] | None = None
        self._body = bytearray()

    def feed(self, data: bytes) -> list[Answer]:
        """All answers that are whole now; raises BadAnswer."""
        self._data += data
        found: list[Answer] = []
        while True:
            answer = self._next()
            if answer is None:
                return found
            if answer.status >= 200:  # 1xx announces the real one
                found.append(answer)

    def end(self) -> Answer | None:
        """The answer that ends with the connection (it named no length), if there is one."""
        if self._head is None or not self._until_end():
            return None
        return self._finish(bytes(self._data), last=True)

    def _next(self) -> Answer | None:
        if self._head is None and not self._read_head():
            return None
        status, fields = self._head or (0, {})
        last = fields.get(b"connection", b"").lower() == b"close"
        if status < 200 or status in (204, 304):
            return self._finish(b"", last=last)
        if self._is_chunked():
            # Trailers are not used by anything that we ask.
            return self._finish(bytes(self._body), last=last) if self._take_chunks() else None
        if self._until_end():
            _refuse_long(len(self._data))
            return None
        length = _number(fields[b"content-length"], base=10)
        _refuse_long(length)
        if len(self._data) < length:
            return None
        body = bytes(self._data[:length])
        del self._data[:length]
        return self._finish(body, last=last)

    def _is_chunked(self) -> bool:
        fields = self._head[1] if self._head else {}
        return fields.get(b"transfer-encoding", b"").lower() == b"chunked"

    def _until_end(self) -> bool:
        fields = self._head[1] if self._head else {}
        return b"content-length" not in fields and b"transfer-encoding" not in fields

    def _read_head(self) -> bool:
        end = self._data.find(b"\r\n\r\n")
        if end < 0:
            if len(self._data) > _HEAD_BYTES_MAX:
                raise BadAnswer("a head without an end")
            return False
        lines = bytes(self._data[:end]).split(b"\r\n")
        del self._data[: end + 4]
        first = lines[0].split(b" ", 2)
        if not first[0].startswith(b"HTTP/1.") or len(first) < 2:
            raise BadAnswer("no HTTP/1")
        fields = {}
        for line in lines[1:]:
            name, _, value = line.partition(b":")
            fields[name.strip().lower()] = value.strip()
        self._head = (_number(first[1], base=10), fields)
        return True

    def _take_chunks(self) -> bool:
        """Moves whole chunks into the body; whether the last one was among them."""
        while True:
            end = self._data.find(b"\r\n")
            if end < 0:
                return False
            size = _number(bytes(self._data[:end]).split(b";")[0], base=16)
            _refuse_long(len(self._body) + size)
            if len(self._data) < end + 2 + size + 2:
                return False
            self._body += self._data[end + 2 : end + 2 + size]
            del self._data[: end + 2 + size + 2]
            if size == 0:
                return True

    def _finish(self, body: bytes, *, last: bool) -> Answer:
        status = self._head[0] if self._head else 0
        self._head, self._body = None, bytearray()
        return Answer(status, body, last)


def _number(text: bytes, *, base: int) -> int:
    try:
        value = int(text.strip(), base)
    except ValueError:
        raise BadAnswer(f"no number: {text[:20]!r}") from None
    if value < 0:
        raise BadAnswer("a negative number")
    return value


def _refuse_long(length: int) -> None:
    if length > BODY_BYTES_MAX:
        raise BadAnswer(f"a body of more than {BODY_BYTES_MAX} bytes")
