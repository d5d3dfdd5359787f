from __future__ import annotations

import pytest

from quorate.harness.sampling.program.answer import AnswerReader, BadAnswer

PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"
)
EMPTY = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@pytest.mark.parametrize("stream", [PLAIN, CHUNKED, CONTINUE + PLAIN])
@pytest.mark.parametrize("step", [1, 7, 1000])
def test_answer_is_read_however_it_is_cut(stream: bytes, step: int) -> None:
    reader = AnswerReader()
    found = []
    for start in range(0, len(stream), step):
        found += reader.feed(stream[start : start + step])
    assert [(one.status, one.body, one.last) for one in found] == [(200, b"hello", False)]


def test_pipelined_answers_come_in_order() -> None:
    found = AnswerReader().feed(PLAIN + CHUNKED + EMPTY)
    assert [(one.status, one.last) for one in found] == [(200, False), (200, False), (204, True)]


def test_an_answer_without_a_length_ends_with_the_connection() -> None:
    reader = AnswerReader()
    assert reader.feed(b"HTTP/1.1 503 No\r\n\r\nsorry") == []
    answer = reader.end()
    assert answer is not None
    assert (answer.status, answer.body, answer.last) == (503, b"sorry", True)
    cut = AnswerReader()
    cut.feed(PLAIN[:-1])
    assert cut.end() is None


@pytest.mark.parametrize(
    "stream",
    [
        b"SSH-2.0-x\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"x" * 70000,
    ],
)
def test_what_is_no_answer_is_refused(stream: bytes) -> None:
    with pytest.raises(BadAnswer):
        AnswerReader().feed(stream)
