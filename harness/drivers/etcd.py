"""etcd, through the listeners that kubeadm opens on each member's loopback: plain http for its
health, and its clients' one, by a certificate of kubeadm's, for what only clients are told.

A member on a machine of its own has the same listeners and certificates (kubeadm makes these for
it, too), and runs as a static pod or as a systemd unit `etcd` that goes by CONFIGURATION.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from quorate.harness.drivers.node_program import parse_raft
from quorate.harness.errors import DriverError, TransportError
from quorate.harness.model.etcd_members import EtcdMember, EtcdStatus
from quorate.harness.transport import Transport
from quorate.harness.transport.at_once import which

MANIFEST = "/etc/kubernetes/manifests/etcd.yaml"
CONFIGURATION = "/etc/etcd/etcd.conf.yml"
"""What `--config-file` names where it is no static pod; keys are called as the flags are."""
_URL = r"[=: ]\s*[\"']?https?://"
_PEER_URL = re.compile(rf"\binitial-advertise-peer-urls{_URL}([^\s,\"']+):(\d+)")
_CLIENT_URL = re.compile(rf"\badvertise-client-urls{_URL}[^\s,\"']+:(\d+)")
METRICS_URL = "http://127.0.0.1:2381"
"""kubeadm: `--listen-metrics-urls` of the etcd static pod; needs no certificate."""

CLIENT_URL = "https://127.0.0.1:2379"
PKI = "/etc/kubernetes/pki/etcd"
CA = f"{PKI}/ca.crt"
CERTIFICATE, KEY = f"{PKI}/healthcheck-client.crt", f"{PKI}/healthcheck-client.key"
"""What kubeadm makes for whoever looks after a member (app/phases/certs/certlist.go)."""

ASK_TIMEOUT_S = 5
HASH_TIMEOUT_S = 10
"""A member reads all that it holds for its hash; the answer is a few bytes."""


@dataclass(frozen=True)
class MemberStatus:
    """What one member says of itself."""

    leads: bool
    has_leader: bool


@dataclass(frozen=True)
class KeyspaceHash:
    """What a member holds, as a number: of all keys at `revision`, without what was `compacted`.

    Two can be compared where both revisions are the same (etcd, api HashKVResponse).
    """

    hash: int
    revision: int
    compacted: int


@dataclass(frozen=True)
class Endpoints:
    """Where a member is reached: by its peers at address and peer_port, by API servers."""

    address: str
    peer_port: int = 2380
    client_port: int = 2379


class EtcdDriver:
    """Facts of single members, and who leads."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def member(self, node: str) -> MemberStatus | None:
        """None when the node or its member does not answer within 3 s."""
        argv = ["curl", "-sS", "--max-time", "3", f"{METRICS_URL}/metrics"]
        try:
            asked = self._transport.run(node, argv, timeout_s=8.0)
        except TransportError:
            return None
        if asked.returncode != 0:
            return None
        return MemberStatus(**parse_raft(asked.stdout))

    def endpoints(self, node: str) -> Endpoints:
        """Where the member is reached, from its static pod's manifest, else its configuration.

        TransportError when neither can be read, DriverError when it does not say.
        """
        path, asked = MANIFEST, self._transport.run(node, ["cat", MANIFEST], timeout_s=8.0)
        if asked.returncode != 0:
            path = CONFIGURATION
            asked = self._transport.check(node, ["cat", CONFIGURATION], timeout_s=8.0)
        found = parse_endpoints(asked.stdout)
        if found is None:
            raise DriverError(f"{node}: {path} has no initial-advertise-peer-urls")
        return found

    def keyspace_hash(self, node: str, *, revision: int = 0) -> KeyspaceHash:
        """The member's hash at a revision; 0: at its newest.

        TransportError where the node or its member cannot be asked, DriverError where it has no
        answer (it is behind that revision, or has compacted it).
        """
        asked = {"revision": str(revision)}
        said = self._asked(node, "maintenance/hashkv", asked, timeout_s=HASH_TIMEOUT_S)
        return parse_hash(said, node=node, revision=revision)

    def members(self, node: str) -> tuple[EtcdMember, ...]:
        """All members, learners too, as the one on this node lists them.

        TransportError where it cannot be asked, DriverError where its answer is no list.
        """
        return parse_members(self._asked(node, "cluster/member/list", {}), node=node)

    def alarms(self, node: str) -> tuple[str, ...]:
        """Every alarm of the cluster, in words. Raises as `members` does."""
        return parse_alarms(self._asked(node, "maintenance/alarm", {"action": "GET"}), node=node)

    def status(self, node: str) -> EtcdStatus:
        """What the member on this node says of itself. Raises as `members` does."""
        return parse_status(self._asked(node, "maintenance/status", {}), node=node)

    def _asked(
        self, node: str, what: str, body: dict[str, str], *, timeout_s: int = ASK_TIMEOUT_S
    ) -> str:
        """The JSON gateway's answer to one question. TransportError."""
        argv = ["curl", "-sS", "--max-time", str(timeout_s), "--cacert", CA]
        argv += ["--cert", CERTIFICATE, "--key", KEY, "-d", json.dumps(body)]
        argv.append(f"{CLIENT_URL}/v3/{what}")
        return self._transport.check(node, argv, timeout_s=timeout_s + 5.0).stdout

    def leader(self, nodes: Sequence[str]) -> str | None:
        """The node whose member says that it leads; None when none or more than one does."""
        leading = which(self._leads, nodes)
        return leading[0] if len(leading) == 1 else None

    def _leads(self, node: str) -> bool:
        status = self.member(node)
        return status is not None and status.leads


def parse_hash(text: str, *, node: str, revision: int) -> KeyspaceHash:
    """The answer of the JSON gateway, which leaves out what is 0. DriverError says what it says."""
    try:
        said = json.loads(text)
        current = int(said["header"]["revision"])
        return KeyspaceHash(
            hash=int(said.get("hash", 0)),
            revision=revision or int(said.get("hash_revision", current)),
            compacted=int(said.get("compact_revision", 0)),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DriverError(f"{node}: etcd has no hash to tell: {text.strip()[:200]}") from error


def parse_members(text: str, *, node: str) -> tuple[EtcdMember, ...]:
    """The answer to MemberList. DriverError says what it says instead."""

    def member(one: dict[str, Any]) -> EtcdMember:
        hosts = [urlsplit(str(url)).hostname or "" for url in one.get("peerURLs", ())]
        learner = bool(one.get("isLearner", False))
        return EtcdMember(_hex(one["ID"]), str(one.get("name", "")), tuple(hosts), learner)

    try:
        return tuple(map(member, json.loads(text)["members"]))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DriverError(f"{node}: etcd lists no members: {text.strip()[:200]}") from error


def parse_alarms(text: str, *, node: str) -> tuple[str, ...]:
    """The answer to Alarm: "NOSPACE of member 9f3c"."""
    try:
        said = json.loads(text)
        said["header"]  # an error has none, and would look like no alarm
        alarms = said.get("alarms", ())
        return tuple(f"{one['alarm']} of member {_hex(one['memberID'])}" for one in alarms)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DriverError(f"{node}: etcd tells no alarms: {text.strip()[:200]}") from error


def parse_status(text: str, *, node: str) -> EtcdStatus:
    """The answer to Status; what is 0 is left out by the gateway."""
    try:
        said = json.loads(text)
        leader = int(said.get("leader", 0))
        return EtcdStatus(
            version=str(said["version"]),
            leader=_hex(leader) if leader else "",
            db_bytes=int(said.get("dbSize", 0)),
            quota_bytes=int(said["dbSizeQuota"]) if said.get("dbSizeQuota") else None,
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DriverError(f"{node}: etcd tells no status: {text.strip()[:200]}") from error


def _hex(number: str | int) -> str:
    """An id as etcdctl writes it and takes it."""
    return f"{int(number):x}"


def parse_endpoints(text: str) -> Endpoints | None:
    """The first advertised peer URL of a manifest or a configuration; None where there is none."""
    peer, client = _PEER_URL.search(text), _CLIENT_URL.search(text)
    if peer is None:
        return None
    port = int(client[1]) if client else Endpoints.client_port
    return Endpoints(peer[1].strip("[]"), int(peer[2]), port)
