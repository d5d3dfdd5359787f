"""The sampler against a real TLS server: an outage of known length is measured as that long."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import time
from collections.abc import Callable
from typing import Any

import pytest

from quorate.harness.errors import ProbeError
from quorate.harness.judge.intervals import Classified, Interval, classify, intervals
from quorate.harness.model.probe_plan import ClientCredentials, ProbePlan
from quorate.harness.model.timeline import CONTROL_PROBE, SampleSeries
from quorate.harness.sampling.live import LiveView
from quorate.harness.sampling.sampler import Sampler
from quorate.harness.store.run_directory import RunDirectory

RATE_HZ = 50.0
DEADLINE_S = 0.3
SLACK_S = 0.1
"""The server's own threads take a while to change their mode on a busy machine."""


def measured(series: SampleSeries) -> list[Interval]:
    return intervals(seen(series))


def seen(series: SampleSeries) -> Classified:
    return classify(series, deadline_s=DEADLINE_S, period_s=1 / RATE_HZ)


@pytest.mark.parametrize("connection", ["new", "reused"])
@pytest.mark.parametrize("mode", ["refused", "hang", "reset"])
def test_outage_of_known_length_is_measured(
    run: RunDirectory, server: Any, plan: Callable[..., ProbePlan], mode: str, connection: str
) -> None:
    with Sampler(run, {"api": plan(connection=connection, rate_hz=RATE_HZ)}):
        time.sleep(0.5)
        start, end = server.outage(mode, length_s=0.7)
        time.sleep(0.5)
    found = sorted(measured(run.timeline().series["api"]), key=lambda one: one.length_s)
    base = run.base_ns / 1e9
    assert found[-1].start == pytest.approx(start - base, abs=1 / RATE_HZ + SLACK_S)
    assert found[-1].end == pytest.approx(end - base, abs=1 / RATE_HZ + SLACK_S)
    assert not found[-1].censored
    # A slow answer of the test's own server, on a busy machine, is all that may be besides.
    assert sum(one.length_s for one in found[:-1]) < SLACK_S


def test_quiet_run_has_every_tick_and_all_are_ok(
    run: RunDirectory, server: Any, plan: Callable[..., ProbePlan]
) -> None:
    sampler = Sampler(run, {"api": plan(), "kept": plan(connection="reused")})
    with sampler:
        time.sleep(1.0)
    series = run.timeline().series
    assert set(series) == {"api", "kept", CONTROL_PROBE}
    for name in ("api", "kept"):
        assert list(series[name].k) == list(range(len(series[name])))
        assert len(series[name]) >= 40
        assert set(seen(series[name]).codes) == {0}
    # One connection for all, beside one for each of the others.
    assert server.connections <= len(series["api"]) + 2


def test_report_and_description_hold_no_secret(
    run: RunDirectory, pki: Any, plan: Callable[..., ProbePlan]
) -> None:
    sampler = Sampler(run, {"api": plan()})
    sampler.start()
    time.sleep(0.3)
    report = sampler.stop()
    assert report.complete, report
    assert report.policy.startswith(("SCHED_FIFO", "SCHED_OTHER"))
    assert report.probes["api"]["ticks"] == len(run.timeline().series["api"])
    assert run.timeline().sampler["policy"] == report.policy
    key = (pki / "client.key").read_text().splitlines()[1]
    for file in run.path.rglob("*"):
        assert file.is_dir() or key not in file.read_text()
        assert file.stat().st_mode & 0o077 == 0, file


def test_late_answer_is_ok_with_its_latency(
    run: RunDirectory, server: Any, plan: Callable[..., ProbePlan]
) -> None:
    server.delay_s = 0.4
    with Sampler(run, {"api": plan(rate_hz=10.0)}):
        time.sleep(0.5)
    series = run.timeline().series["api"]
    assert set(series.outcome) == {0}
    assert min(e - d for e, d in zip(series.end, series.due, strict=True)) >= 0.4
    assert set(seen(series).codes) == {1}


def test_beyond_the_cap_is_unknown_and_timeout_is_failed(
    run: RunDirectory, server: Any, plan: Callable[..., ProbePlan]
) -> None:
    server.mode = "hang"
    hanging = plan(in_flight_max=5, hard_timeout_s=0.4)
    with Sampler(run, {"api": hanging, "kept": plan(connection="reused", hard_timeout_s=0.4)}):
        time.sleep(0.6)
    series = run.timeline().series
    texts = {series["api"].texts[i] for i in series["api"].detail}
    assert texts == {"timeout", "in-flight cap"}
    assert series["api"].outcome.count(1) <= 5 * 3
    reused = {series["kept"].texts[i] for i in series["kept"].detail}
    assert reused == {"timeout", "dropped: an older request timed out"}
    assert set(series["kept"].outcome) == {1}


def test_wrong_certificate_and_wrong_body_fail(
    run: RunDirectory, plan: Callable[..., ProbePlan]
) -> None:
    named = plan(server_name="elsewhere.example")
    with Sampler(run, {"named": named, "body": plan(body_contains="Secret")}):
        time.sleep(0.3)
    series = run.timeline().series
    assert any("mismatch" in text for text in series["named"].texts)
    assert set(series["named"].outcome) == set(series["body"].outcome) == {1}
    assert "body" in series["body"].texts


def test_sampler_ends_when_the_harness_is_gone(
    run: RunDirectory, plan: Callable[..., ProbePlan]
) -> None:
    sampler = Sampler(run, {"api": plan()})
    sampler.start()
    process = sampler._process
    assert process is not None
    assert process.stdin is not None
    process.stdin.close()  # what the kernel does when the harness is killed
    assert process.wait(timeout=5) == 0
    assert not sampler.alive()
    assert sampler.stop().complete


def test_live_view_sees_a_hanging_outage_before_any_timeout(
    run: RunDirectory, server: Any, plan: Callable[..., ProbePlan]
) -> None:
    view = LiveView(run, rates_hz={"api": RATE_HZ})
    with Sampler(run, {"api": plan(hard_timeout_s=5.0)}):
        time.sleep(0.6)
        view.poll()
        assert view.good_for_s("api", deadline_s=DEADLINE_S) > 0.2
        assert view.current_outage_s("api", deadline_s=DEADLINE_S) == 0
        server.mode = "hang"
        time.sleep(1.2)
        view.poll()
        assert view.current_outage_s("api", deadline_s=DEADLINE_S) == pytest.approx(1.2, abs=0.2)
        assert view.good_for_s("api", deadline_s=DEADLINE_S) == 0
        server._cut()
        server.mode = "ok"
        time.sleep(0.8)
        view.poll()
        assert view.current_outage_s("api", deadline_s=DEADLINE_S) == 0
        assert view.good_for_s("api", deadline_s=DEADLINE_S) > 0.3


def test_a_black_hole_times_out_while_connecting(
    run: RunDirectory, plan: Callable[..., ProbePlan]
) -> None:
    """A full queue drops SYNs, as a machine without power does."""
    with socket.socket() as hole, contextlib.ExitStack() as callers:
        hole.bind(("127.0.0.1", 0))
        hole.listen(0)
        for _ in range(4):
            caller = callers.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(hole.getsockname())
        port = hole.getsockname()[1]
        with Sampler(run, {"api": plan(port=port, hard_timeout_s=0.5)}):
            time.sleep(0.8)
    lines = run.samples_file("api").read_text().splitlines()
    samples = [json.loads(line) for line in lines]
    assert {(one["o"], one["d"], one["at"]) for one in samples} == {
        ("FAILED", "timeout", "connect")
    }
    assert all(one["end"] - one["due"] == pytest.approx(0.5, abs=0.1) for one in samples)


def test_a_sampler_that_cannot_start_says_why(
    run: RunDirectory, plan: Callable[..., ProbePlan]
) -> None:
    broken = ClientCredentials(ca_pem="no certificate")
    sampler = Sampler(run, {"api": plan(credentials=broken)})
    with pytest.raises(ProbeError, match="did not get to 'ready': SSLError"):
        sampler.start()
    assert not sampler.alive()
    assert not sampler.stop().complete


def test_what_the_sampler_slept_through_is_unknown_not_failed(
    run: RunDirectory, server: Any, plan: Callable[..., ProbePlan]
) -> None:
    server.delay_s = 0.1
    sampler = Sampler(run, {"api": plan(rate_hz=RATE_HZ)})
    with sampler:
        time.sleep(0.5)
        assert sampler._process is not None
        os.kill(sampler._process.pid, signal.SIGSTOP)
        asleep_since = run.now()
        time.sleep(0.5)
        os.kill(sampler._process.pid, signal.SIGCONT)
        awake_since = run.now()
        time.sleep(0.5)
    series = run.timeline().series["api"]
    late = [series.texts[number] for number in series.detail].count("late")
    assert late == pytest.approx(0.5 * RATE_HZ, abs=4)
    assert series.outcome.count(1) == 0
    # Those under way may have been answered in time: at a deadline of 0.3 s nobody knows.
    assert any(stalled_s > 0.4 for stalled_s in series.stalled_s.values())
    judged = seen(series)
    codes = judged.codes[judged.tick_at(asleep_since - 0.1) : judged.tick_at(awake_since)]
    assert codes.count(b"\x01") == 0
    assert codes.count(b"\x02") >= late - 1
