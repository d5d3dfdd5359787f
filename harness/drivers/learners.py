"""Learners of etcd: members that are told everything and have no vote, so that quorum needs none.

A program on a member's node asks its client listener (drivers/etcd.py) by the JSON gateway: an undo
must find its member by itself, and a shell has no JSON.
"""

from __future__ import annotations

from typing import Literal

from quorate.harness.drivers.etcd import CA, CERTIFICATE, CLIENT_URL, KEY
from quorate.harness.transport import Transport

# Prints the peer URLs of every learner, one a line, when its verb is done. A learner is ours where
# its only peer URL is the one named, and it has never been started: then it has no name.
_LEARNERS = """\
import json, ssl, sys
from urllib import error, request
url, ca, certificate, key, verb, peer = sys.argv[1:]
tls = ssl.create_default_context(cafile=ca)
tls.load_cert_chain(certificate, key)
opener = request.build_opener(request.ProxyHandler({}), request.HTTPSHandler(context=tls))
def ask(what, body):
    asked = request.Request(url + "/v3/cluster/member/" + what, json.dumps(body).encode())
    try:
        with opener.open(asked, timeout=8) as answer:
            return json.load(answer)
    except error.HTTPError as failed:
        sys.exit("etcd says: " + failed.read().decode(errors="replace"))
def learners():
    return [one for one in ask("list", {"linearizable": True})["members"] if one.get("isLearner")]
if verb == "add":
    ask("add", {"peerURLs": [peer], "isLearner": True})
if verb == "remove":
    for one in learners():
        if one.get("peerURLs") == [peer] and not one.get("name"):
            ask("remove", {"ID": one["ID"]})
for one in learners():
    print("\\n".join(one.get("peerURLs", [])))
"""
Verb = Literal["add", "remove", "list"]


def learners_argv(verb: Verb, peer: str = "") -> tuple[str, ...]:
    """Add or remove the learner that would be reached at `peer`; removing is harmless where there
    is none, and spares one that was started. Prints what learners there are then."""
    where = (CLIENT_URL, CA, CERTIFICATE, KEY)
    return ("python3", "-I", "-c", _LEARNERS, *where, verb, peer)


class LearnerDriver:
    """Which learners the members of etcd know. Changes nothing."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def peers(self, node: str) -> tuple[str, ...]:
        """Peer URLs of the learners, as the member of `node` has them. TransportError when it
        cannot be asked."""
        said = self._transport.check(node, learners_argv("list"), timeout_s=20.0)
        return tuple(said.stdout.split())
