"""One run at a time on a cluster, whoever starts it: a Lease beside the lock on this machine.

It lasts as long as the run can at worst, since it cannot be renewed while the API is the victim.
Its removal is journalled: the run does it, or the guardian, or `quorate undo`. One that has expired
is taken over only when no node carries a mark of ours; one left by a dead run of this very machine,
which our lock and registry know to be over, at once.
"""

from __future__ import annotations

import hashlib
import http.client
import math
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.errors import DriverError, RefusedError, TransportError
from quorate.harness.model.cluster import HARNESS
from quorate.harness.model.undo import Undo
from quorate.harness.undo.settle import LEASE

INJECTION = LEASE
NAME = "quorate-run"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases"
PATH = f"{LEASES}/{NAME}"
TIME = "%Y-%m-%dT%H:%M:%S.%fZ"

_LOOK = """\
systemctl list-units --all --plain --no-legend 'quorate-*' 2>&1
nft list tables 2>&1
ls -d /run/quorate/[0-9]*-* 2>/dev/null
true"""
MARKED_ARGV = ("sh", "-c", _LOOK)
MARKED = re.compile(r"quorate[-_][0-9]\S*|/run/quorate/[0-9]\S+")


def now() -> datetime:
    """Wall time: a Lease is compared between machines."""
    return datetime.now(UTC)


@dataclass
class ClusterLease:
    """kube-system/quorate-run of one cluster, for one run of one machine."""

    drivers: Drivers
    run_id: str
    state_dir: Path
    wall: Callable[[], datetime] = now
    _uid: str = "none"

    @property
    def home(self) -> str:
        """This machine and state directory; what the lock and the registry here speak for."""
        folder = hashlib.sha256(str(self.state_dir.absolute()).encode()).hexdigest()[:8]
        return f"{socket.gethostname()}-{folder}"

    def take(self, *, lasts_s: float) -> None:
        """Take it for `lasts_s` seconds. RefusedError while another run may be under way."""
        held = self.drivers.api.get(PATH)
        if held is not None:
            self._refuse_unless_over(held)
        answer = self.drivers.api.ask(
            "POST" if held is None else "PUT",
            LEASES if held is None else PATH,
            body=self._body(held, lasts_s=lasts_s),
        )
        if answer.status == http.client.CONFLICT:
            raise RefusedError("another run has just taken the cluster's Lease: wait for its end")
        if answer.status not in (http.client.OK, http.client.CREATED):
            raise DriverError(f"Lease kube-system/{NAME}: {answer.status} {answer.body[:200]!r}")
        taken = self.drivers.api.get(PATH)
        if taken is not None:
            self._uid = str(taken["metadata"]["uid"])

    def undo(self) -> Undo:
        """Its removal, as long as it is this very one. Call it after `take`."""
        commands = self.drivers.kube_commands
        return Undo(
            id=f"{INJECTION}:{NAME}",
            injection=INJECTION,
            node=HARNESS,
            argv=commands.delete(PATH, {"preconditions": {"uid": self._uid}}),
            confirm_argv=commands.show(PATH, "metadata.uid"),
            # Gone, or another run's: it holds another uid.
            confirm_expect=rf"\A(?!.*{re.escape(self._uid)})",
            text=f"remove the Lease kube-system/{NAME}",
        )

    def _body(self, held: dict[str, Any] | None, *, lasts_s: float) -> dict[str, Any]:
        stamp = self.wall().strftime(TIME)
        version = {"resourceVersion": held["metadata"]["resourceVersion"]} if held else {}
        return {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": NAME, "namespace": "kube-system", **version},
            "spec": {
                "holderIdentity": f"{self.home}/{self.run_id}",
                "leaseDurationSeconds": max(1, math.ceil(lasts_s)),
                "acquireTime": stamp,
                "renewTime": stamp,
            },
        }

    def _refuse_unless_over(self, held: dict[str, Any]) -> None:
        spec = held.get("spec", {})
        holder = str(spec.get("holderIdentity") or "nobody")
        if holder.startswith(f"{self.home}/"):
            return  # we hold the lock and no undo is pending here, so that run is over
        until = expiry(spec)
        if self.wall() < until:
            raise RefusedError(
                f"{holder} is running on this cluster until {until:%H:%M:%S} UTC at the latest "
                f"(Lease kube-system/{NAME}): wait for its end"
            )
        marked = self._marked()
        if marked:
            raise RefusedError(
                f"the run {holder} has expired, but left something on:\n  "
                + "\n  ".join(marked)
                + "\nlet `quorate undo` take it back, from a machine that holds its run directory"
            )

    def _marked(self) -> list[str]:
        """What nodes carry of ours; a node that cannot be asked counts as carrying something."""
        found = []
        for node in self.drivers.cluster.nodes:
            try:
                said = self.drivers.transport.check(node.name, MARKED_ARGV, timeout_s=8.0).stdout
            except TransportError as error:
                found.append(f"{node.name}: cannot be asked: {error}")
                continue
            found += [f"{node.name}: {mark}" for mark in dict.fromkeys(MARKED.findall(said))]
        return found


def expiry(spec: dict[str, Any]) -> datetime:
    """When a Lease runs out; what lacks a time or a duration has run out long ago."""
    try:
        renewed = datetime.strptime(str(spec["renewTime"]), TIME).replace(tzinfo=UTC)
        return renewed + timedelta(seconds=float(spec["leaseDurationSeconds"]))
    except (KeyError, ValueError):
        return datetime.fromtimestamp(0, UTC)
