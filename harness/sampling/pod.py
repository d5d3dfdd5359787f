"""The sampler in a pod on a node: made, reached through an API server, and the way back from it."""

from __future__ import annotations

import http.client
import json
import secrets
from collections.abc import Mapping

from quorate.harness.drivers.clock import MonotonicClock, wait_until
from quorate.harness.drivers.kube_api import NONE_LEFT
from quorate.harness.drivers.sampler_pod import (
    BUFFER,
    FILES,
    PODS,
    PORT,
    SECRETS,
    SamplerPod,
    SamplerPodDriver,
)
from quorate.harness.errors import DriverError, ProbeError, RefusedError
from quorate.harness.model.cluster import HARNESS
from quorate.harness.model.probe_plan import ProbePlan
from quorate.harness.model.undo import Undo
from quorate.harness.sampling.far import FarSampler
from quorate.harness.sampling.feed import Link
from quorate.harness.sampling.shipping import BOOT_ZIP, archive
from quorate.harness.store.run_directory import RunDirectory

MADE_S = 90.0
"""Until a pod that was made can be asked: its image may have to be pulled."""

PERIOD_S = 0.3

GONE_S = 120.0
"""How long its removal may take to be confirmed: the kubelet of a node that has just come back
must be ready before it ends anything."""

ZIP, ORDER = "program.zip", "order.json"


class PodSampler(FarSampler):
    """One sampler in one pod, for all probes of one vantage."""

    def __init__(
        self,
        run: RunDirectory,
        probes: Mapping[str, ProbePlan],
        *,
        vantage: str,
        mark: str,
        reach: tuple[SamplerPodDriver, str],
    ) -> None:
        """``vantage``: the experiment's word. ``mark``: names what is left in the cluster.
        ``reach``: the driver, and the node's name."""
        self._pods, node = reach
        self._name = f"quorate-{mark}"
        self._token = secrets.token_hex(16)
        self._port = self._pods.port(self._name)
        super().__init__(run, probes, vantage=vantage, node=node)

    def look(self) -> None:
        """See `FarSampler.look`."""
        try:
            known = self._pods.knows_node(self.node)
        except DriverError as error:
            raise RefusedError(f"no probe can be asked from a pod: {error}") from error
        if not known:
            raise RefusedError(f"from: {self._vantage}: the API knows no node {self.node}")

    def undos(self) -> tuple[Undo, ...]:
        """Of the Secret, and of the pod."""
        return (self._undo("secret", SECRETS), self._undo("sampler", PODS))

    def start(self, *, lasts_s: float) -> None:
        """See `FarSampler.start`."""
        try:
            self._pods.make(self._pod(lasts_s))
            self._await_pod()
            track = self.feed.measure()
            base_ns = self._run.base_ns + track.start.offset_ns
            self._config = {**self._config, "base_ns": base_ns}
            self._ask(f"begin/{base_ns}")
            self.feed.follow()
            self.feed.wait_for("ticking", timeout_s=MADE_S)
        except (ProbeError, DriverError) as error:
            self.feed.stop(timeout_s=0.0)
            raise ProbeError(f"no probe can be asked from a pod on {self.node}: {error}") from error
        self._tell_clock()

    def _pod(self, lasts_s: float) -> SamplerPod:
        self._config = self._configured(0, lasts_s=lasts_s)
        pod_s = MADE_S + lasts_s
        order = {
            "folder": f"{BUFFER}/samples",
            "port": PORT,
            "token": self._token,
            "lasts_s": pod_s,
            "config": self._config,
        }
        argv = ("python3", "-I", "-S", "-B", "-c", BOOT_ZIP, f"{FILES}/{ZIP}", f"{FILES}/{ORDER}")
        files = {ZIP: archive(), ORDER: json.dumps(order).encode()}
        return SamplerPod(self._name, self.node, argv, files, pod_s)

    def _await_pod(self) -> None:
        """Until it can be asked; DriverError where it never will be."""
        seen = ""

        def is_there() -> bool:
            nonlocal seen
            if not self._pods.is_running(self._name):
                seen = "it does not run"
                return False
            answer = self._port.ask(f"/{self._token}/there")
            seen = f"it runs, and the API's proxy says {answer.status} {answer.body[:200]!r}"
            return answer.status == http.client.OK

        if not wait_until(MonotonicClock(), is_there, timeout_s=MADE_S, period_s=PERIOD_S):
            raise ProbeError(f"its pod could not be asked within {MADE_S:g} s: {seen}")

    def _ask(self, word: str) -> None:
        answer = self._port.ask(f"/{self._token}/{word}")
        if answer.status != http.client.OK:
            raise DriverError(f"{word}: {answer.status} {answer.body[:200]!r}")

    def _connect(self) -> Link:
        tunnel = self._port.open(f"/{self._token}/feed")
        if tunnel.ended and (why := self._pods.ended(self._name)):
            raise ProbeError(why)
        return tunnel

    def _undo(self, what: str, path: str) -> Undo:
        commands = self._pods.commands
        return Undo(
            id=f"{self._vantage}:{what}",
            injection=self._vantage,
            node=HARNESS,
            argv=commands.delete_labelled(path, mark=self._name),
            confirm_argv=commands.show_labelled(path, mark=self._name),
            confirm_expect=NONE_LEFT,
            confirm_timeout_s=GONE_S,
            text=f"remove {path.rpartition('/')[2]}/{self._name} from kube-system",
        )
