"""Start, stop and report of the sampler; see the package's docstring for the conversation.

Configuration, one line of JSON::

    {"base_ns": …, "fifo_priority": 10, "lasts_s": null,
     "probes": [{"name", "host", "port", "connection": "new"|"reused", "rate_hz",
                 "hard_timeout_s", "in_flight_max", "requests": […], "status": [200],
                 "body_contains", "registers": […], "writes": […], "watches": false, "looks_up": "",
                 "output": path,
                 "tls": {"name", "ca", "certificate", "key"} or null}],   (PEM texts)
     "control": {"name", "rate_hz", "hard_timeout_s", "output"}}

``host`` is an address: a name would have to be looked up, and looking up blocks. ``registers`` and
``writes`` are empty for all but the probes of registers.py, ``watches`` is true for those of
watches.py, ``looks_up`` is a name for those of dns.py. ``lasts_s``: after so many seconds it
ends by itself; null: only when it is told to.
"""

from __future__ import annotations

import gc
import json
import os
import platform
import resource
import selectors
import signal
import ssl
import sys
import time
from typing import Any

from .control import ControlServer, LoopbackDown
from .dns import DnsProbe
from .lateness import Lateness
from .link import Target
from .loop import Loop
from .output import FLUSH_S, SampleFile
from .probe import FreshProbe, Probe, ReusedProbe
from .registers import RegisterReader, RegisterWriter
from .watches import Watch

START_AFTER_S = 0.1
"""From the end of the preparations to the first tick: nothing is late at the start."""

STAGGER_S = 0.0073
"""Between the first ticks of two probes, so that they are not all due at one instant."""

NOFILE_MAX = 65536

NICE = -20

STOP = b"stop"
"""What stdin says where it cannot end (a FIFO on a node)."""

CONTROL_REQUEST = "GET / HTTP/1.1\r\nHost: control\r\nConnection: close\r\n\r\n"


class Session:
    """One sampler from start to end."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.loop = Loop()
        self.outputs: list[SampleFile] = []
        self.policy = _schedule(int(config["fifo_priority"]))
        self.nofile = _raise_nofile()
        self.base_s = int(config["base_ns"]) / 1e9
        self.probes = [self._probe(plan) for plan in config["probes"]]
        self.probes.append(self._control(config["control"]))
        self._lasts_s = config["lasts_s"]
        self._ended = ""
        self._waiting = len(self.probes)
        watches = [probe for probe in self.probes if isinstance(probe, Watch)]
        for probe in self.probes:
            if isinstance(probe, RegisterWriter):
                probe.listeners += [watch.wrote for watch in watches]

    def _probe(self, plan: dict[str, Any]) -> Probe:
        tls = plan["tls"]
        target = Target(
            plan["host"],
            int(plan["port"]),
            context=None if tls is None else _context(tls),
            name="" if tls is None else tls["name"],
        )
        output = SampleFile(plan["output"])
        self.outputs.append(output)
        return _kind(plan)(plan, loop=self.loop, target=target, output=output, base_s=self.base_s)

    def _control(self, control: dict[str, Any]) -> Probe:
        server = ControlServer(self.loop)
        plan = dict(control, host="127.0.0.1", port=server.port, connection="new", tls=None)
        plan.update(requests=[CONTROL_REQUEST], registers=[], writes=[], watches=False, looks_up="")
        plan.update(status=[200], body_contains="ok", in_flight_max=100)
        return self._probe(plan)

    def run(self) -> None:
        """Samples until told to stop, then until every request under way has ended."""
        gc.collect()
        gc.freeze()  # what is there now stays; a collection then has next to nothing to walk
        self.loop.watch(0, selectors.EVENT_READ, self._stdin)
        t0_s = time.monotonic() + START_AFTER_S
        for number, probe in enumerate(self.probes):
            probe.on_first_tick = self._ticked
            probe.start(t0_s + number * STAGGER_S)
        if self._lasts_s is not None:
            self.loop.at(t0_s + float(self._lasts_s), lambda: self._end("its deadline"))
        self._flush()
        self.loop.run()
        for output in self.outputs:
            output.close()

    def report(self) -> dict[str, Any]:
        """What the sampler says about itself."""
        late = Lateness()
        for probe in self.probes:
            late.include(probe.lateness)
        shares = {"p50": 0.5, "p99": 0.99, "p99.9": 0.999, "max": 1.0}
        quantiles = {name: late.quantile(share) for name, share in shares.items()}
        return {
            "policy": self.policy,
            "ended_by": self._ended,
            "nofile": self.nofile,
            "python": platform.python_version(),
            "probes": {probe.name: probe.counts for probe in self.probes},
            "lateness_s": {
                name: None if late_s is None else round(late_s, 6)
                for name, late_s in quantiles.items()
            },
            "stalls": self.loop.stalls,
            "stalled_s": round(self.loop.stalled_s, 6),
        }

    def _ticked(self) -> None:
        self._waiting -= 1
        if self._waiting == 0:
            _say({"ticking": True})

    def _stdin(self, events: int) -> None:
        said = os.read(0, 4096)
        if said and STOP not in said:
            return  # nobody has a reason to write anything else
        self.loop.forget(0)
        self._end("the harness")

    def _end(self, by: str) -> None:
        if self._ended:
            return
        self._ended = by
        for probe in self.probes:
            probe.stop()
        self._stop_when_done()

    def _stop_when_done(self) -> None:
        if any(probe.in_flight for probe in self.probes):
            self.loop.at(time.monotonic() + 0.02, self._stop_when_done)
        else:
            self.loop.stop()

    def _flush(self) -> None:
        for output in self.outputs:
            output.flush()
        self.loop.at(time.monotonic() + FLUSH_S, self._flush)


def main() -> int:
    """Runs one session, configured by the first line of stdin; see `play`."""
    return play(sys.stdin.buffer.readline())


def play(config: bytes) -> int:
    """Runs one session; 0 after a report, 1 after an error that was said on stdout."""
    # A Ctrl-C in the terminal is the harness's to handle; it ends us by closing stdin.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    try:
        session = Session(json.loads(config))
        _say({"ready": True})
        session.run()
    except (OSError, ValueError, KeyError, LoopbackDown) as error:
        _say({"error": f"{type(error).__name__}: {error}"})
        return 1
    _say({"report": session.report()})
    return 0


def _kind(plan: dict[str, Any]) -> type[Probe]:
    if plan["looks_up"]:
        return DnsProbe
    if plan["watches"]:
        return Watch
    if plan["writes"]:
        return RegisterWriter
    if plan["registers"]:
        return RegisterReader
    return ReusedProbe if plan["connection"] == "reused" else FreshProbe


def _context(tls: dict[str, Any]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    if tls["ca"]:
        context.load_verify_locations(cadata=tls["ca"])
    else:
        context.load_default_certs()
    if tls["certificate"]:
        _load_identity(context, tls)
    return context


def _load_identity(context: ssl.SSLContext, tls: dict[str, Any]) -> None:
    """Python's ssl takes paths alone: that of a file which no disk ever holds."""
    handle = os.memfd_create("identity")
    try:
        with open(handle, "wb", closefd=False) as file:
            file.write((tls["certificate"] + "\n" + tls["key"]).encode("ascii"))
        context.load_cert_chain(f"/proc/self/fd/{handle}")
    finally:
        os.close(handle)


def _schedule(priority: int) -> str:
    """Real time where CAP_SYS_NICE allows it: nothing else keeps the ticks on busy cores."""
    if priority <= 0:
        return "SCHED_OTHER: as asked"
    try:
        policy = os.SCHED_FIFO | os.SCHED_RESET_ON_FORK
        os.sched_setscheduler(0, policy, os.sched_param(priority))
    except (OSError, AttributeError) as error:
        why = getattr(error, "strerror", None) or str(error)
        return f"SCHED_OTHER{_as_nice_as_allowed()}: {why}"
    return f"SCHED_FIFO {priority}"


def _as_nice_as_allowed() -> str:
    """Where real time is not to be had (a cgroup v1 without rt_runtime): before all else there."""
    try:
        os.setpriority(os.PRIO_PROCESS, 0, NICE)
    except OSError:
        return ""
    return f" nice {NICE}"


def _raise_nofile() -> int:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = NOFILE_MAX if hard == resource.RLIM_INFINITY else min(hard, NOFILE_MAX)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        return wanted
    return int(soft)


def _say(message: dict[str, Any]) -> None:
    try:
        os.write(1, json.dumps(message, separators=(",", ":")).encode() + b"\n")
    except OSError:
        pass  # nobody listens any more; the samples are on disk
