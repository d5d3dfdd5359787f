"""A URL of the user's own, asked of a server in this process, over TLS and in plain."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from quorate.harness.model.probe_spec import ProbeSpec
from quorate.harness.model.timeline import FAILED, OK, SampleSeries
from quorate.harness.sampling.sampler import Sampler
from quorate.harness.store.run_directory import RunDirectory
from quorate.probes.url_reachability import plan_url
from tests.contract.sampling.answering import LATE_S, Answering
from tests.contract.sampling.outcomes import outcomes

Asked = Callable[..., tuple[SampleSeries, Answering]]


@pytest.fixture
def asked(run: RunDirectory, pki: Path) -> Iterator[Asked]:
    servers = []

    def ask(
        way: str, *, scheme: str = "https", ca: str | None = None, **spec: object
    ) -> tuple[SampleSeries, Answering]:
        context = None
        if scheme == "https":
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(pki / "server.pem", pki / "server.key")
        server = Answering(way, context=context)
        servers.append(server)
        raw = {
            "probe": "url_reachability",
            "url": f"{scheme}://127.0.0.1:{server.port}/health?full=1",
            "connection": "new",
            "rate_hz": 20,
            **spec,
        }
        ca_pem = (pki / "ca.pem").read_text() if ca is None else ca
        plan = plan_url(
            ProbeSpec.model_validate(raw), address="127.0.0.1", ca_pem=ca_pem, hard_timeout_s=0.4
        )
        with Sampler(run, {"asked": plan}):
            time.sleep(0.5)
        return run.timeline().series["asked"], server

    yield ask
    for server in servers:
        server.close()


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(
    ("way", "expected"),
    [
        ("right", {(OK, "")}),
        ("wrong status", {(FAILED, "status 503")}),
        ("redirect", {(FAILED, "status 302")}),
        ("wrong body", {(FAILED, "body")}),
        ("half", {(FAILED, "eof")}),
        ("silent", {(FAILED, "timeout")}),
    ],
)
def test_an_answer_is_told_for_what_it_is(
    asked: Asked, scheme: str, way: str, expected: set[tuple[int, str]]
) -> None:
    series, server = asked(way, scheme=scheme, contains="ConfigMap")
    assert len(series) >= 5
    assert outcomes(series) == expected
    for first, fields, _ in server.asked:
        assert first.split()[:2] == ["GET", "/health?full=1"], "no redirect is followed"
        assert fields["Host"] == f"127.0.0.1:{server.port}"


def test_a_late_answer_is_ok_that_late(asked: Asked) -> None:
    series, _ = asked("late")
    assert outcomes(series) == {(OK, "")}
    took_s = [end - due for due, end in zip(series.due, series.end, strict=True)]
    assert min(took_s) >= LATE_S * 0.95


def test_statuses_that_are_expected_are_right(asked: Asked) -> None:
    assert outcomes(asked("redirect", status=[204, 302])[0]) == {(OK, "")}


def test_without_a_text_any_body_is_right(asked: Asked) -> None:
    assert outcomes(asked("wrong body")[0]) == {(OK, "")}


def test_a_certificate_of_nobody_known_is_no_answer(asked: Asked) -> None:
    """By the system's authorities, ours is unknown; no request is sent to such a server."""
    series, server = asked("right", ca="")
    ((outcome, text),) = outcomes(series)
    assert outcome == FAILED
    assert text.startswith("tls: ")
    assert not server.asked
