"""The sampler on a node: looked for, started, followed, stopped, and the way back from it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from quorate.harness.errors import ProbeError, RefusedError, TransportError
from quorate.harness.model.probe_plan import ProbePlan
from quorate.harness.model.undo import Undo
from quorate.harness.sampling.far import FarSampler
from quorate.harness.sampling.sampler import START_TIMEOUT_S
from quorate.harness.sampling.shipping import packed, program_argv
from quorate.harness.store.run_directory import RunDirectory
from quorate.harness.transport import Stream, Transport

BUFFERS = "/run/quorate"
"""Where the folders of ours lie on a node (faults.contract.Plan.folder); gone with a reboot."""

PYTHON_MIN = (3, 8)

_VERSION_ARGV = (
    *("python3", "-I", "-S", "-c"),
    "import json, os, ssl, sys; print(json.dumps([*sys.version_info[:2], hasattr(os, 'fork')]))",
)

_TAKE_BACK = 'systemctl stop -- "$1" 2>/dev/null; rm -rf -- "$2"'
_LOOK = """state=$(systemctl show -p ActiveState --value -- "$1") || exit 1
case $state in inactive|failed) test -e "$2" || { echo gone; exit 0; } ;; esac
echo there"""


class NodeSampler(FarSampler):
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
        self._transport, node = reach
        self._scope = f"quorate-{mark}.scope"
        self._folder = f"{BUFFERS}/{mark}"
        super().__init__(run, probes, vantage=vantage, node=node)

    def look(self) -> None:
        """See `FarSampler.look`."""
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

    def undos(self) -> tuple[Undo, ...]:
        """Ends the process and removes its folder, whichever is there; neither survives a
        reboot."""
        arguments = ("quorate", self._scope, self._folder)
        way_back = Undo(
            id=f"{self._vantage}:sampler",
            injection=self._vantage,
            node=self.node,
            argv=("sh", "-c", _TAKE_BACK, *arguments),
            confirm_argv=("sh", "-c", _LOOK, *arguments),
            confirm_expect="^gone$",
            text=f"end the sampler {self._scope} on {self.node} and remove {self._folder}",
        )
        return (way_back,)

    def start(self, *, lasts_s: float) -> None:
        """See `FarSampler.start`."""
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
