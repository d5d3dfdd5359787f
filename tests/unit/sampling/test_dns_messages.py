"""DNS messages as RFC 1035 has them: what is asked, and what is a right answer to it."""

from __future__ import annotations

import errno
import os
import struct

import pytest

from quorate.harness.sampling.program.dns import BadMessage, outcome_of, problem_in, question

NAME = "kubernetes.default.svc.cluster.local"
ASKED = question(NAME, number=0x1234)
ADDRESS = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 30, 4) + bytes([10, 96, 0, 1])
ALIAS = b"\xc0\x0c" + struct.pack("!HHIH", 5, 1, 30, 4) + b"\x01a\xc0\x0c"
SPELLED = b"\x01a\x01b\x00" + struct.pack("!HHIH", 1, 1, 30, 4) + bytes(4)


def answer(
    *records: bytes, flags: int = 0x8180, number: int = 0x1234, asked: bytes = ASKED
) -> bytes:
    return struct.pack("!6H", number, flags, 1, len(records), 0, 0) + asked[12:] + b"".join(records)


def test_the_question_is_for_addresses_of_the_name() -> None:
    assert ASKED[:12] == bytes.fromhex("123401000001000000000000")
    assert ASKED[12:] == (
        b"\x0akubernetes\x07default\x03svc\x07cluster\x05local\x00" + b"\x00\x01\x00\x01"
    )
    assert question(f"{NAME}.", number=0x1234) == ASKED, "with or without the root's dot"


@pytest.mark.parametrize("records", [(ADDRESS,), (ALIAS, ADDRESS), (SPELLED, SPELLED)])
def test_an_answer_with_an_address_is_right(records: tuple[bytes, ...]) -> None:
    assert problem_in(answer(*records), asked=ASKED) == ""


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        (answer(), "no address"),
        (answer(ALIAS), "no address"),
        (answer(flags=0x8183), "rcode 3"),
        (answer(flags=0x8182), "rcode 2"),
        (answer(ADDRESS, flags=0x8380), "cut short"),
    ],
)
def test_an_answer_that_is_of_no_use_is_told(message: bytes, problem: str) -> None:
    assert problem_in(message, asked=ASKED) == problem


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\x12\x34",
        ASKED,  # a question is no answer
        answer(ADDRESS, number=0x1235),
        answer(ADDRESS, asked=question("a.b", number=1)),
        answer(ADDRESS)[:-1],
        answer(ADDRESS)[: len(ASKED) + 1],
        answer(ADDRESS, ADDRESS)[: len(ASKED) + len(ADDRESS)],
    ],
)
def test_what_is_no_answer_to_the_question(message: bytes) -> None:
    with pytest.raises(BadMessage):
        problem_in(message, asked=ASKED)


def test_capitals_in_the_answer_do_not_matter() -> None:
    message = answer(ADDRESS)
    assert problem_in(message.replace(b"kubernetes", b"KuberNetes"), asked=ASKED) == ""


@pytest.mark.parametrize(
    ("number", "outcome"),
    [
        (errno.EPERM, "FAILED"),  # kube-proxy rejects what goes to a service without endpoints
        (errno.ECONNREFUSED, "FAILED"),
        (errno.ENETUNREACH, "UNKNOWN"),
        (errno.ENOBUFS, "UNKNOWN"),
    ],
)
def test_which_errors_say_something_about_the_cluster(number: int, outcome: str) -> None:
    assert outcome_of(OSError(number, os.strerror(number))) == outcome
