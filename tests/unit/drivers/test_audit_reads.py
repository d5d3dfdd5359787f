"""What the audit asks nodes and etcd: recorded answers, broken ones, and no key among them."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from quorate.harness.drivers.etcd import parse_alarms, parse_members, parse_status
from quorate.harness.drivers.files import FileDriver, ages_argv
from quorate.harness.drivers.public_files import parse_public, public_argv
from quorate.harness.errors import DriverError
from quorate.harness.model.etcd_members import EtcdMember
from quorate.harness.transport import MemoryTransport, Reply
from tests.unit.conftest import ClientUntil

HEADER = '"header":{"cluster_id":"1","member_id":"2","revision":"3","raft_term":"4"}'
MEMBERS = f"""{{{HEADER},"members":[{{"ID":"9372538179322589801","name":"cp1","peerURLs":
["https://10.77.0.11:2380"],"clientURLs":["https://10.77.0.11:2379"]}},{{"ID":"10","peerURLs":
["https://[fd00::2]:2380"],"isLearner":true}}]}}"""
ERROR = '{"error":"etcdserver: no leader","code":14,"message":"etcdserver: no leader"}'
UNTIL = datetime(2027, 3, 4, 5, 6, 7, tzinfo=UTC)


def test_members_as_the_gateway_lists_them() -> None:
    assert parse_members(MEMBERS, node="cp1") == (
        EtcdMember("8211f1d0f64f3269", "cp1", ("10.77.0.11",)),
        EtcdMember("a", "", ("fd00::2",), learner=True),
    )


def test_a_status_leaves_out_what_is_0() -> None:
    text = f'{{{HEADER},"version":"3.5.21","dbSize":"20480","leader":"171","raftTerm":"4"}}'
    found = parse_status(text, node="cp1")
    assert (found.leader, found.db_bytes, found.quota_bytes) == ("ab", 20480, None)
    lost = parse_status(f'{{{HEADER},"version":"3.6.8","dbSizeQuota":"2147483648"}}', node="cp1")
    assert (lost.leader, lost.quota_bytes) == ("", 2**31)


def test_alarms() -> None:
    assert parse_alarms(f"{{{HEADER}}}", node="cp1") == ()
    one = f'{{{HEADER},"alarms":[{{"memberID":"171","alarm":"NOSPACE"}}]}}'
    assert parse_alarms(one, node="cp1") == ("NOSPACE of member ab",)


@pytest.mark.parametrize("parse", [parse_members, parse_alarms, parse_status])
@pytest.mark.parametrize("text", [ERROR, "", "[]", "null", "404 page not found"])
def test_an_error_is_no_answer(parse: object, text: str) -> None:
    assert callable(parse)
    with pytest.raises(DriverError, match="cp1: etcd"):
        parse(text, node="cp1")


def shell(argv: tuple[str, ...]) -> str:
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


def test_no_key_leaves_the_node(tmp_path: Path, client_until: ClientUntil) -> None:
    pem = client_until(UNTIL).certificate.decode()
    key = "-----BEGIN EC PRIVATE KEY-----\nc2VjcmV0\n-----END EC PRIVATE KEY-----\n"
    (tmp_path / "kubelet-client.pem").write_text(pem + key)
    data = base64.b64encode(pem.encode()).decode()
    (tmp_path / "scheduler.conf").write_text(
        "clusters:\n- cluster:\n    certificate-authority-data: Y2E=\n"
        "    server: https://10.77.0.11:6443\nusers:\n- user:\n"
        f"    client-certificate-data: {data}\n    client-key-data: c2VjcmV0\n    token: c2VjcmV0\n"
    )
    said = shell(public_argv(f"{tmp_path}/*.pem", f"{tmp_path}/*.conf", f"{tmp_path}/none*"))
    assert "c2VjcmV0" not in said
    assert "PRIVATE" not in said
    found = parse_public(said)
    conf = str(tmp_path / "scheduler.conf")
    assert found.servers == {conf: "https://10.77.0.11:6443"}
    assert [one.until for one in found.certificates] == [UNTIL, UNTIL]
    assert {one.subject for one in found.certificates} == {"CN=client"}


def test_a_certificate_that_is_none_is_an_error() -> None:
    text = "\x1e/pki/x.crt\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    with pytest.raises(DriverError, match=r"/pki/x\.crt"):
        parse_public(text)
    with pytest.raises(DriverError, match="base64"):
        parse_public("\x1e/x.conf\n    client-certificate-data: '!'\n")


def test_ages_are_by_the_node_s_own_clock(tmp_path: Path) -> None:
    old, empty = tmp_path / "a b.db", tmp_path / "empty.db"
    old.write_text("x")
    empty.touch()
    os.utime(old, (old.stat().st_atime, old.stat().st_mtime - 7200))
    said = shell(ages_argv(f"{tmp_path}/*.db", f"{tmp_path}/none/*"))
    nodes = MemoryTransport().on("sh", reply=Reply(said))
    (path, age_s), *more = FileDriver(nodes).ages_s("cp1", ["x"]).items()
    assert (path, more) == (str(old), [])
    assert 7200 <= age_s < 7300


def test_a_pattern_is_no_command(tmp_path: Path) -> None:
    shell(ages_argv(f"$(touch {tmp_path}/bad); touch {tmp_path}/worse"))
    assert list(tmp_path.iterdir()) == []


def test_the_body_of_a_question_is_json() -> None:
    from quorate.harness.drivers.etcd import EtcdDriver

    nodes = MemoryTransport().on("curl", reply=Reply(f"{{{HEADER}}}"))
    EtcdDriver(nodes).alarms("cp1")
    (call,) = nodes.calls
    assert json.loads(call.argv[call.argv.index("-d") + 1]) == {"action": "GET"}
