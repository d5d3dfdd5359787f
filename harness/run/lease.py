"""One run at a time on a cluster, whoever starts it: a Lease beside the lock on this machine.

It lasts as long as the run can at worst, since it cannot be renewed while the API is the victim;
before each fault it is asked whether it still is ours. Its removal is journalled before it is made:
the run does it, or the guardian, or `quorate undo`. One that has expired is taken over only when no
node carries a mark of ours; one left by a dead run of this very machine, which our lock and
registry know to be over, at once. Taken over means deleted and made anew: its label says whose it
is, so that the late undo of the run before cannot remove it.
"""

from __future__ import annotations

import functools
import http.client
import json
import math
import re
import secrets
import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from quorate.harness.drivers import marks
from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.kube_api import KubeCommands
from quorate.harness.errors import DriverError, RefusedError, StoreError, TransportError
from quorate.harness.faults.contract import mark_of
from quorate.harness.model.cluster import HARNESS
from quorate.harness.model.marks import LABEL
from quorate.harness.model.rights import LEASE_NAME
from quorate.harness.model.undo import Undo
from quorate.harness.transport import Transport
from quorate.harness.undo.durable import replace_text, storing
from quorate.harness.undo.settle import LEASE

INJECTION = LEASE
NAME = LEASE_NAME
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
    _until: datetime | None = None

    @functools.cached_property
    def home(self) -> str:
        """This machine and state directory; what the lock and the registry here speak for."""
        return home_of(self.state_dir)

    def take(self, *, lasts_s: float) -> None:
        """Take it for `lasts_s` seconds. RefusedError while another run may be under way."""
        api = self.drivers.api
        held = api.get(PATH)
        if held is not None:
            self._refuse_unless_over(held)
            self._remove(held)
        since = self.wall()
        answer = api.ask("POST", LEASES, body=self._body(since, lasts_s=lasts_s))
        if answer.status == http.client.CONFLICT:
            # Perhaps by ourselves: an API server carried it out, and its answer was lost.
            taken = api.get(PATH)
            if taken is None or not self._holds(taken):
                raise RefusedError(
                    "another run has just taken the cluster's Lease: wait for its end"
                )
        elif answer.status in (http.client.OK, http.client.CREATED):
            taken = json.loads(answer.body)
        else:
            raise DriverError(f"Lease kube-system/{NAME}: {answer.status} {answer.body[:200]!r}")
        self._uid = str(taken["metadata"]["uid"])
        self._until = since + timedelta(seconds=lasts_s)

    def demand(self, *, api_may_be_down: bool) -> None:
        """RefusedError unless it is this run's now. Where no API server answers and a fault of ours
        is what keeps it from that, nobody else can have taken it either."""
        if self._until is None or self.wall() >= self._until:
            raise RefusedError(
                "the run has lasted longer than its Lease on the cluster, so another one may have "
                "begun: nothing more is broken"
            )
        try:
            held = self.drivers.api.get(PATH)
        except DriverError:
            if api_may_be_down:
                return
            raise
        if held is None or not self._holds(held) or held["metadata"]["uid"] != self._uid:
            holder = "nobody" if held is None else held.get("spec", {}).get("holderIdentity")
            raise RefusedError(
                f"the cluster's Lease kube-system/{NAME} is not this run's any more (it is held by "
                f"{holder}): nothing more is broken"
            )

    def undo(self) -> Undo:
        """Its removal, as long as it is this run's; to be journalled before `take`."""
        commands = self.drivers.kube_commands
        return Undo(
            id=f"{INJECTION}:{NAME}",
            injection=INJECTION,
            node=HARNESS,
            argv=commands.delete_marked(PATH, mark=self._mark),
            confirm_argv=commands.show(PATH, f"metadata.labels.{LABEL}"),
            # Gone, or another run's: it carries another mark.
            confirm_expect=rf"\A(?!.*{re.escape(self._mark)})",
            text=f"remove the Lease kube-system/{NAME}",
        )

    def _body(self, since: datetime, *, lasts_s: float) -> dict[str, Any]:
        stamp = since.strftime(TIME)
        return {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {
                "name": NAME,
                "namespace": "kube-system",
                "labels": {LABEL: self._mark},
            },
            "spec": {
                "holderIdentity": self._identity,
                "leaseDurationSeconds": max(1, math.ceil(lasts_s)),
                "acquireTime": stamp,
                "renewTime": stamp,
            },
        }

    @property
    def _mark(self) -> str:
        return f"quorate-{mark_of(self.run_id, INJECTION)}"

    @property
    def _identity(self) -> str:
        return f"{self.home}/{self.run_id}"

    def _holds(self, lease: dict[str, Any]) -> bool:
        return bool(lease.get("spec", {}).get("holderIdentity") == self._identity)

    def _remove(self, held: dict[str, Any]) -> None:
        """This very one as it was read; if it has changed meanwhile, it stays."""
        meta = held["metadata"]
        this = {"uid": meta["uid"], "resourceVersion": meta["resourceVersion"]}
        self.drivers.api.delete(PATH, body={"preconditions": this})

    def _refuse_unless_over(self, held: dict[str, Any]) -> None:
        spec = held.get("spec", {})
        holder = str(spec.get("holderIdentity") or "nobody")
        if holder.startswith(f"{self.home}/"):
            return  # we hold the lock and no undo is pending here, so that run is over
        until = expiry(spec)
        if self.wall() < until:
            raise RefusedError(
                f"{_running(holder, until)} (Lease kube-system/{NAME}): wait for its end"
            )
        marked = self._marked()
        if marked:
            raise RefusedError(
                f"the run {holder} has expired, but left something on:\n  "
                + "\n  ".join(marked)
                + "\nlet `quorate undo` take it back, from a machine that holds its run directory"
            )

    def _marked(self) -> list[str]:
        """What nodes and the API hold of ours; a node that cannot be asked counts as marked."""
        found = marks.left(self.drivers.api)
        for node in self.drivers.cluster.nodes:
            try:
                said = self.drivers.transport.check(node.name, MARKED_ARGV, timeout_s=8.0).stdout
            except TransportError as error:
                found.append(f"{node.name}: cannot be asked: {error}")
                continue
            found += [f"{node.name}: {mark}" for mark in dict.fromkeys(MARKED.findall(said))]
        return found


def held_by_another(
    transport: Transport, *, state_dir: Path, run_id: str, wall: Callable[[], datetime] = now
) -> str:
    """Who else is running on the cluster, in words; "" where nobody is.

    Also where nobody can tell: an undo does not wait for an API that is the victim.
    """
    try:
        said = transport.check(HARNESS, KubeCommands().show(PATH, "spec"), timeout_s=10.0).stdout
        spec = json.loads(said)
        holder, until = str(spec["holderIdentity"]), expiry(spec)
    except (TransportError, ValueError, KeyError, TypeError):
        return ""
    of_here = holder.startswith(f"{home_of(state_dir)}/")
    if of_here or holder.endswith(f"/{run_id}") or wall() >= until:
        return ""
    return _running(holder, until)


def home_of(state_dir: Path) -> str:
    """This machine and state directory, as a Lease's holder begins."""
    return f"{socket.gethostname()}-{identity(state_dir)}"


def _running(holder: str, until: datetime) -> str:
    return f"{holder} is running on this cluster until {until:%H:%M:%S} UTC at the latest"


def identity(state_dir: Path) -> str:
    """A word for a state directory that no other one has, wherever it lies: drawn once, kept there.

    Its path would not do: every container of a CI has the same one, and often the same host name.
    """
    file = state_dir / "id"
    try:
        return file.read_text(errors="replace").strip()
    except FileNotFoundError:
        pass
    except OSError as error:
        raise StoreError(f"{file}: {error.strerror}") from error
    with storing(file):
        state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    drawn = secrets.token_hex(8)
    # Of two at once the later one stays; the earlier run's Lease then looks like a stranger's.
    replace_text(file, f"{drawn}\n")
    return drawn


def expiry(spec: dict[str, Any]) -> datetime:
    """When a Lease runs out; what lacks a time or a duration has run out long ago."""
    try:
        renewed = datetime.strptime(str(spec["renewTime"]), TIME).replace(tzinfo=UTC)
        return renewed + timedelta(seconds=float(spec["leaseDurationSeconds"]))
    except (KeyError, ValueError):
        return datetime.fromtimestamp(0, UTC)
