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

from quorate.harness.drivers.node_program import parse_raft
from quorate.harness.errors import DriverError, TransportError
from quorate.harness.transport import Transport

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
        argv = ["curl", "-sS", "--max-time", str(HASH_TIMEOUT_S), "--cacert", CA]
        argv += ["--cert", CERTIFICATE, "--key", KEY, "-d", json.dumps({"revision": str(revision)})]
        argv.append(f"{CLIENT_URL}/v3/maintenance/hashkv")
        said = self._transport.check(node, argv, timeout_s=HASH_TIMEOUT_S + 5.0).stdout
        return parse_hash(said, node=node, revision=revision)

    def leader(self, nodes: Sequence[str]) -> str | None:
        """The node whose member says that it leads; None when none or more than one does."""
        leading = [node for node in nodes if (status := self.member(node)) and status.leads]
        return leading[0] if len(leading) == 1 else None


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


def parse_endpoints(text: str) -> Endpoints | None:
    """The first advertised peer URL of a manifest or a configuration; None where there is none."""
    peer, client = _PEER_URL.search(text), _CLIENT_URL.search(text)
    if peer is None:
        return None
    port = int(client[1]) if client else Endpoints.client_port
    return Endpoints(peer[1].strip("[]"), int(peer[2]), port)
