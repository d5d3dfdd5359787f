"""etcd_learner and etcd_member_misplaced, and their program against a gateway of ours."""

from __future__ import annotations

import json
import re
import ssl
import subprocess
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.etcd import CA, CERTIFICATE, CLIENT_URL, KEY
from quorate.harness.drivers.learners import LearnerDriver, learners_argv
from quorate.harness.errors import RefusedError
from quorate.harness.faults.arrangements.etcd_learner import EtcdLearner
from quorate.harness.faults.arrangements.etcd_member_misplaced import EtcdMemberMisplaced
from quorate.harness.faults.contract import Plan
from quorate.harness.run.arranging import AS_IT_IS
from quorate.harness.run.switches import switches_for
from quorate.harness.transport import MemoryTransport, Reply
from tests.known import certificates

BOTH = (EtcdLearner(), EtcdMemberMisplaced())
ADDRESSES = {"etcd_learner": "192.0.2.3", "etcd_member_misplaced": "192.0.2.21"}
each = pytest.mark.parametrize("subject", BOTH, ids=[one.name for one in BOTH])


@pytest.fixture(autouse=True)
def etcd(drivers: Drivers, transport: MemoryTransport) -> MemoryTransport:
    object.__setattr__(drivers, "learners", LearnerDriver(transport))
    transport.on("curl", reply=Reply("etcd_server_has_leader 1\netcd_server_is_leader 0\n"))
    return transport.on(*learners_argv("list"), reply=Reply(""))


def planned(subject: EtcdLearner, drivers: Drivers, mark: str = "1-a-mine") -> Plan:
    return AS_IT_IS.plan(subject, drivers=drivers, mark=mark, holder=None)


def peer_of(argv: Sequence[str]) -> str:
    return argv[-1]


@each
def test_it_is_there_when_every_member_knows_it(
    subject: EtcdLearner, drivers: Drivers, etcd: MemoryTransport
) -> None:
    plan = planned(subject, drivers)
    (act,), (undo,) = subject.acts(drivers, plan=plan), subject.undos(drivers, plan=plan)
    peer = peer_of(act.argv)
    assert peer_of(undo.argv) == peer
    assert re.fullmatch(rf"https://{ADDRESSES[subject.name]}:2\d{{4}}", peer)
    assert len(switches_for([undo], plan=plan)) == 1
    assert not subject.proof(drivers, plan=plan).ok
    for node in ("cp1", "cp2"):
        etcd.on(*learners_argv("list"), reply=Reply(f"{peer}\n"), node=node)
    assert not subject.proof(drivers, plan=plan).ok, "two of three"
    etcd.on(*learners_argv("list"), reply=Reply(f"{peer}\n"), node="cp3")
    assert subject.proof(drivers, plan=plan).ok
    for said, off in (("", True), (f"{peer}\n", False), (f"{peer}0\n", True)):
        assert bool(re.search(str(undo.confirm_expect), said, re.MULTILINE)) is off


@each
def test_a_late_undo_names_another_than_the_next_run_s(
    subject: EtcdLearner, drivers: Drivers
) -> None:
    mine, theirs = (planned(subject, drivers, mark) for mark in ("1-a-mine", "2-b-theirs"))
    (late,), (act,) = subject.undos(drivers, plan=mine), subject.acts(drivers, plan=theirs)
    assert peer_of(late.argv) != peer_of(act.argv)


@each
def test_etcd_takes_one_learner_at_a_time(
    subject: EtcdLearner, drivers: Drivers, etcd: MemoryTransport
) -> None:
    etcd.on(*learners_argv("list"), reply=Reply("https://192.0.2.9:2380\n"))
    with pytest.raises(RefusedError, match=r"a learner already, at https://192\.0\.2\.9:2380"):
        planned(subject, drivers)


def test_who_is_asked_answers(drivers: Drivers, etcd: MemoryTransport) -> None:
    etcd.on("curl", reply=Reply(returncode=7), node="cp1")
    assert planned(EtcdLearner(), drivers).before["node"] == "cp2"
    etcd.on("curl", reply=Reply(returncode=7))
    for node in ("cp2", "cp3"):
        etcd.on("curl", reply=Reply(returncode=7), node=node)
    with pytest.raises(RefusedError, match="no etcd member answers"):
        planned(EtcdLearner(), drivers)


VOTERS = [
    {"ID": "11", "name": "cp1", "peerURLs": ["https://192.0.2.1:2380"]},
    {"ID": "12", "name": "cp2", "peerURLs": ["https://192.0.2.2:2380"]},
]
PEER = "https://192.0.2.21:20001"


class Gateway(BaseHTTPRequestHandler):
    """The three calls of etcd's JSON gateway that are made."""

    members: list[dict[str, Any]] = []  # noqa: RUF012 set anew by each test

    def do_POST(self) -> None:
        given = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        status, what = 200, self.path.rpartition("/")[2]
        if what == "add" and any(one.get("isLearner") for one in self.members):
            status = 400
        elif what == "add":
            self.members.append({"ID": "13", **given})
        elif what == "remove":
            self.members[:] = [one for one in self.members if one["ID"] != given["ID"]]
        said: dict[str, Any] = {"members": self.members}
        if status != 200:
            said = {"message": "too many learner members"}
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(said).encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def words(tmp_path: Path) -> Iterator[dict[str, str]]:
    """What stands in an argv for a member's listener and files, and what it is here."""
    pki = certificates.written(tmp_path)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=pki / "ca.pem")
    tls.verify_mode = ssl.CERT_REQUIRED
    tls.load_cert_chain(pki / "server.pem", pki / "server.key")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Gateway)
    server.socket = tls.wrap_socket(server.socket, server_side=True)
    Gateway.members = [*VOTERS]
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    serving.start()
    files = {CA: "ca.pem", CERTIFICATE: "client.pem", KEY: "client.key"}
    url = f"https://127.0.0.1:{server.server_port}"
    yield {CLIENT_URL: url, **{path: str(pki / name) for path, name in files.items()}}
    server.shutdown()
    serving.join()
    server.server_close()


def played(argv: Sequence[str], words: dict[str, str]) -> subprocess.CompletedProcess[str]:
    here = [words.get(word, word) for word in argv]
    return subprocess.run(here, capture_output=True, text=True, timeout=20, check=False)


def test_the_program_adds_lists_and_removes_its_learner(words: dict[str, str]) -> None:
    assert played(learners_argv("list"), words).stdout == ""
    assert played(learners_argv("remove", PEER), words).returncode == 0, "no act: harmless"
    assert played(learners_argv("add", PEER), words).stdout == f"{PEER}\n"
    again = played(learners_argv("add", "https://192.0.2.3:20002"), words)
    assert (again.returncode, "too many learner" in again.stderr) == (1, True)
    assert played(learners_argv("remove", "https://192.0.2.3:20002"), words).stdout == f"{PEER}\n"
    for _ in range(2):
        assert played(learners_argv("remove", PEER), words).stdout == ""
    assert Gateway.members == VOTERS


def test_the_program_spares_a_member_that_votes_or_was_started(words: dict[str, str]) -> None:
    started = {"ID": "13", "name": "w1", "peerURLs": [PEER], "isLearner": True}
    for one in (started, {"ID": "13", "peerURLs": [PEER]}):
        Gateway.members = [*VOTERS, one]
        played(learners_argv("remove", PEER), words)
        assert one in Gateway.members
