"""The sampler on a node: looked for, started, followed, stopped, and the way back from it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from quorate.harness.errors import ProbeError, RefusedError, TransportError
from quorate.harness.model.probe_plan import ProbePlan
from quorate.harness.model.timeline import control_of
from quorate.harness.model.undo import Undo
from quorate.harness.sampling.configuration import session_config, shown_config
from quorate.harness.sampling.feed import Feed
from quorate.harness.sampling.report import SamplerReport
from quorate.harness.sampling.sampler import FIFO_PRIORITY, START_TIMEOUT_S, STOP_MARGIN_S
from quorate.harness.sampling.shipping import packed, program_argv
from quorate.harness.store.run_directory import RunDirectory
from quorate.harness.transport import Stream, Transport

BUFFERS = "/run/quorate"
"""Where the folders of ours lie on a node (faults.contract.Plan.folder); gone with a reboot."""

PYTHON_MIN = (3, 8)
COLLECT_S = 30.0
"""How long a node that cannot be reached is waited for at the end, beside what requests take."""

_VERSION_ARGV = (
    *("python3", "-I", "-S", "-c"),
    "import json, os, ssl, sys; print(json.dumps([*sys.version_info[:2], hasattr(os, 'fork')]))",
)

_TAKE_BACK = 'systemctl stop -- "$1" 2>/dev/null; rm -rf -- "$2"'
_LOOK = """state=$(systemctl show -p ActiveState --value -- "$1") || exit 1
case $state in inactive|failed) test -e "$2" || { echo gone; exit 0; } ;; esac
echo there"""


class NodeSampler:
    """One sampler on one node, for all probes of one vantage."""

    def __init__(
        self,
        run: RunDirectory,
        probes: Mapping[str, ProbePlan],
        *,
        vantage: str,
        mark: str,
        reach: tuple[Transport, str],
    ) -> None:
        """``vantage``: the experiment's word. ``mark``: names what is left on the node.
        ``reach``: the transport, and the node's name."""
        self._run = run
        self._probes = dict(probes)
        self._vantage = vantage
        self._transport, self.node = reach
        self._scope = f"quorate-{mark}.scope"
        self._folder = f"{BUFFERS}/{mark}"
        self._config: dict[str, Any] = {}
        control = control_of(vantage)
        names = [*self._probes, control]
        self.feed = Feed(
            self._connect, files={f"{name}.jsonl": run.samples_file(name) for name in names}
        )

    def look(self) -> None:
        """RefusedError, naming the node, where no sampler can run there; changes nothing."""
        try:
            asked = self._transport.run(self.node, _VERSION_ARGV, timeout_s=START_TIMEOUT_S)
        except TransportError as error:
            raise RefusedError(f"no probe can be asked from {self.node}: {error}") from error
        version = _version(asked.stdout)
        if asked.returncode != 0 or version < PYTHON_MIN:
            found = f"Python {version[0]}.{version[1]}" if version[0] else "none that runs"
            raise RefusedError(
                f"{self.node} cannot ask probes (from: {self._vantage}): it needs python3 of 3.8 "
                f"or newer with ssl, and has {found} ({asked.stderr.strip()[-200:] or 'said so'}); "
                "install python3 there, or name another node"
            )

    def place(self, probes: Mapping[str, ProbePlan]) -> None:
        """Other plans for some of its probes; before `start`."""
        self._probes |= probes

    def undo(self) -> Undo:
        """Ends the process and removes its folder, whichever is there. Journal it before `start`;
        neither survives a reboot."""
        arguments = ("quorate", self._scope, self._folder)
        return Undo(
            id=f"{self._vantage}:sampler",
            injection=self._vantage,
            node=self.node,
            argv=("sh", "-c", _TAKE_BACK, *arguments),
            confirm_argv=("sh", "-c", _LOOK, *arguments),
            confirm_expect="^gone$",
            text=f"end the sampler {self._scope} on {self.node} and remove {self._folder}",
        )

    def start(self, *, lasts_s: float) -> None:
        """Returns once the first tick of each probe was sent; ProbeError otherwise.

        ``lasts_s``: when it ends by itself, whatever became of us.
        """
        try:
            clock = self.feed.measure()
            self._config = self._configured(
                self._run.base_ns + clock.start.offset_ns, lasts_s=lasts_s
            )
            order = {"folder": self._folder, "config": self._config}
            self._transport.check(
                self.node,
                (
                    *("systemd-run", "--scope", "--collect", "--quiet", f"--unit={self._scope}"),
                    *("--", *program_argv("detached")),
                ),
                timeout_s=START_TIMEOUT_S,
                stdin=packed() + json.dumps(order).encode() + b"\n",
            )
            self.feed.follow()
            self.feed.wait_for("ticking", timeout_s=START_TIMEOUT_S)
        except (ProbeError, TransportError) as error:
            self.feed.stop(timeout_s=0.0)
            raise ProbeError(f"no probe can be asked from {self.node}: {error}") from error
        self._tell_clock()

    def heard(self) -> float:
        """Until when everything that it wrote is known here, seconds since the run's base."""
        return self.feed.heard - self._run.base_ns / 1e9

    @property
    def lost(self) -> str:
        """Why nothing more will come from there; empty while it may."""
        return self.feed.problem

    def stop(self) -> dict[str, object]:
        """Ends sampling and collects the rest; for sampler.json. Raises nothing for a node that is
        gone: the judge sees the missing samples."""
        longest_s = max((plan.hard_timeout_s for plan in self._probes.values()), default=0.0)
        self.feed.stop(timeout_s=longest_s + STOP_MARGIN_S + COLLECT_S)
        report = SamplerReport.of(self.feed.report, problem=self.feed.problem)
        clock = self._tell_clock(policy=report.policy, problem=report.problem)
        return {
            "node": self.node,
            "config": shown_config(self._config) if self._config else {},
            "clock": clock,
            "links_lost": self.feed.links_lost,
            **report.to_dict(),
        }

    def _tell_clock(self, **more: object) -> dict[str, object]:
        if self.feed.clock is None:
            return {}
        heard_ns = round(self.feed.heard * 1e9) or time.monotonic_ns()
        told = self.feed.clock.told(now_ns=heard_ns)
        self._run.append_event(
            "vantage_clock", vantage=self._vantage, node=self.node, **told, **more
        )
        return told

    def _configured(self, base_ns: int, *, lasts_s: float) -> dict[str, Any]:
        config = session_config(
            self._probes,
            base_ns=base_ns,
            fifo_priority=FIFO_PRIORITY,
            control=control_of(self._vantage),
            output=lambda name: f"{name}.jsonl",
        )
        return {**config, "lasts_s": lasts_s}

    def _connect(self) -> Stream:
        return self._transport.stream(self.node, program_argv("feed", self._folder), stdin=packed())


def _version(said: str) -> tuple[int, int]:
    try:
        major, minor, _ = json.loads(said)
    except ValueError:
        return (0, 0)
    return (int(major), int(minor))


Hold = Callable[[Undo, Callable[[], None]], None]
"""Takes something once its way back is journalled: the injector's `hold`."""
