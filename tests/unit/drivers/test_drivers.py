"""Each driver's facts from scripted answers: right ones, wrong ones, and none."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from quorate.harness.drivers.etcd import EtcdDriver, KeyspaceHash
from quorate.harness.drivers.files import FileDriver, texts_argv
from quorate.harness.drivers.haproxy import HAProxyDriver
from quorate.harness.drivers.keepalived import KeepalivedDriver
from quorate.harness.drivers.leases import Held, LeaseDriver
from quorate.harness.drivers.machine import MachineDriver
from quorate.harness.drivers.power import PowerDriver
from quorate.harness.drivers.systemd import SystemdDriver
from quorate.harness.errors import CommandTimeout, DriverError, NodeUnreachable, RefusedError
from quorate.harness.model.cluster import Cluster
from quorate.harness.transport import MemoryTransport, Reply

BOOT_ID = "7c92d57c-69f0-45ba-ba27-ce619eeb414e"
GONE = Reply(error=NodeUnreachable("cp1", argv=["x"], problem="no route"))
HUNG = Reply(error=CommandTimeout("cp1", argv=["x"], problem="hung"))


def holding(*addresses: str) -> Reply:
    return Reply(json.dumps([{"addr_info": [{"local": one} for one in addresses]}]))


def test_the_leader_is_the_one_member_that_says_so() -> None:
    transport = MemoryTransport()
    transport.on("curl", reply=Reply("etcd_server_is_leader 0\netcd_server_has_leader 1\n"))
    transport.on("curl", reply=Reply("etcd_server_is_leader 1\n"), node="cp2")
    transport.on("curl", reply=GONE, node="cp1")
    assert EtcdDriver(transport).leader(["cp1", "cp2", "cp3"]) == "cp2"


def test_two_leaders_are_none() -> None:
    transport = MemoryTransport().on("curl", reply=Reply("etcd_server_is_leader 1\n"))
    assert EtcdDriver(transport).leader(["cp1", "cp2"]) is None


@pytest.mark.parametrize(
    ("said", "revision", "expected"),
    [
        ('{"header": {"revision": "95"}, "hash": 5, "compact_revision": "7"}', 90, (5, 90, 7)),
        ('{"header": {"revision": "95"}, "hash": 5, "hash_revision": "94"}', 0, (5, 94, 0)),
        ('{"header": {"revision": "95"}, "hash": 5}', 0, (5, 95, 0)),
    ],
    ids=["asked for", "of 3.6", "before 3.6"],
)
def test_a_member_s_hash(said: str, revision: int, expected: tuple[int, int, int]) -> None:
    transport = MemoryTransport().on("curl", reply=Reply(said))
    assert EtcdDriver(transport).keyspace_hash("cp1", revision=revision) == KeyspaceHash(*expected)
    argv = transport.calls[0].argv
    assert f'{{"revision": "{revision}"}}' in argv
    assert argv[argv.index("--cert") + 1] == "/etc/kubernetes/pki/etcd/healthcheck-client.crt"


@pytest.mark.parametrize("said", ['{"message": "required revision has been compacted"}', "", "[]"])
def test_a_member_without_a_hash_says_why(said: str) -> None:
    transport = MemoryTransport().on("curl", reply=Reply(said))
    with pytest.raises(DriverError, match=f"cp1: etcd has no hash to tell: {re.escape(said)}"):
        EtcdDriver(transport).keyspace_hash("cp1")


def test_haproxy_servers(cluster: Cluster) -> None:
    transport = MemoryTransport().on(
        "socat", reply=Reply("# pxname,svname,status\napi,cp1,UP\napi,BACKEND,UP\n")
    )
    assert HAProxyDriver(transport, cluster=cluster).servers("cp1") == {"cp1": "UP"}
    assert transport.calls[0].stdin == b"show stat -1 4 -1\n"


def test_haproxy_that_answers_something_else(cluster: Cluster) -> None:
    transport = MemoryTransport().on("socat", reply=Reply("# svname,other\ncp1,x\n"))
    with pytest.raises(DriverError, match="status"):
        HAProxyDriver(transport, cluster=cluster).servers("cp1")


def test_who_holds_the_vip(cluster: Cluster) -> None:
    transport = MemoryTransport().on("ip", reply=holding("192.0.2.1"))
    transport.on("ip", reply=holding("192.0.2.2", "192.0.2.100"), node="cp2")
    transport.on("ip", reply=GONE, node="cp3")
    keepalived = KeepalivedDriver(transport, cluster=cluster)
    assert keepalived.holders(["cp1", "cp2", "cp3"]) == ["cp2"]
    assert keepalived.holds("cp3") is None, "a node that cannot be asked is not known"


def test_addresses_that_are_no_json(cluster: Cluster) -> None:
    transport = MemoryTransport().on("ip", reply=Reply("1: lo: <LOOPBACK>"))
    with pytest.raises(DriverError, match="cp1"):
        KeepalivedDriver(transport, cluster=cluster).holds("cp1")


@pytest.mark.parametrize(
    ("reply", "answers"),
    [
        (Reply("connected\n"), True),
        (Reply(returncode=1, stderr="no connection: timed out"), False),
        (Reply(returncode=127, stderr="python3: not found"), None),
        (GONE, None),
    ],
)
def test_does_the_vip_answer(cluster: Cluster, reply: Reply, answers: bool | None) -> None:
    transport = MemoryTransport().on("python3", reply=reply)
    assert KeepalivedDriver(transport, cluster=cluster).answers_from("cp2") is answers


@pytest.mark.parametrize(
    ("reply", "boot_id"),
    [(Reply(f"{BOOT_ID}\n"), BOOT_ID), (Reply("not one"), None), (GONE, None)],
)
def test_boot_id(reply: Reply, boot_id: str | None) -> None:
    transport = MemoryTransport().on("cat", reply=reply)
    assert MachineDriver(transport).boot_id("cp1") == boot_id


@pytest.mark.parametrize(
    ("reply", "unreachable"),
    [(GONE, True), (HUNG, False), (Reply(), False), (Reply(returncode=1), False)],
    ids=["no way", "hangs", "answers", "answers badly"],
)
def test_only_no_way_is_unreachable(reply: Reply, unreachable: bool) -> None:
    transport = MemoryTransport().on("true", reply=reply)
    assert MachineDriver(transport).is_unreachable("cp1") is unreachable


def test_the_power_switch_is_a_command(cluster: Cluster) -> None:
    power = PowerDriver(cluster)
    assert power.off_argv("cp1") == ("@power", "off", "cp1")
    assert power.on_argv("cp1") == ("@power", "on", "cp1")


def test_without_a_power_switch_the_remedy_is_named(cluster: Cluster) -> None:
    power = PowerDriver(cluster.model_copy(update={"power": None}))
    assert not power.is_there
    with pytest.raises(RefusedError, match=r"cluster\.yaml.*power: \{command"):
        power.off_argv("cp1")


def test_unit_state() -> None:
    transport = MemoryTransport().on("systemctl", reply=Reply("inactive\n", returncode=3))
    assert SystemdDriver(transport).state("cp1", "haproxy") == "inactive"


def test_several_files_by_one_command(tmp_path: Path) -> None:
    one, gone, three = (tmp_path / name for name in ("one", "gone", "a three"))
    one.write_text("no newline at the end")
    three.write_text("==> like a name <==\n\nand more\n")
    paths = [str(path) for path in (one, gone, three)]
    done = subprocess.run(texts_argv(*paths), capture_output=True, text=True, timeout=10)
    nodes = MemoryTransport().on("sh", reply=Reply(done.stdout, returncode=done.returncode))
    found = FileDriver(nodes).texts("cp1", paths)
    assert found == {str(one): one.read_text(), str(three): three.read_text()}
    assert len(nodes.calls) == 1
    nodes.on("sh", reply=GONE)
    with pytest.raises(NodeUnreachable):
        FileDriver(nodes).texts("cp1", paths)


@pytest.mark.parametrize(
    ("restart", "span", "seconds"),
    [
        ("always", "100ms", 0.1),
        ("on-failure", "1min 30s", 90.0),
        ("on-abnormal", "0", 0.0),
        ("no", "100ms", None),
        ("on-success", "100ms", None),
    ],
)
def test_when_systemd_starts_a_killed_unit_again(
    restart: str, span: str, seconds: float | None
) -> None:
    said = f"Restart={restart}\nRestartUSec={span}\nLoadState=loaded\n"
    nodes = MemoryTransport().on("systemctl", "show", reply=Reply(said))
    assert SystemdDriver(nodes).restart_s("cp1", "haproxy") == seconds


def test_a_unit_that_is_not_there_is_not_started_again() -> None:
    said = "Restart=no\nRestartUSec=100ms\nLoadState=not-found\n"
    nodes = MemoryTransport().on("systemctl", "show", reply=Reply(said))
    with pytest.raises(DriverError, match="cp1 has no unit haproxy"):
        SystemdDriver(nodes).restart_s("cp1", "haproxy")


@pytest.mark.parametrize(
    ("spec", "held"),
    [
        ({"holderIdentity": "cp2_ab", "leaseDurationSeconds": 15}, Held("cp2_ab", 15.0)),
        ({"holderIdentity": "", "leaseDurationSeconds": 1}, Held("", 1.0)),
        ({}, Held("", None)),
    ],
)
def test_what_a_lease_says(spec: dict[str, object], held: Held) -> None:
    kube: Any = SimpleNamespace(get_json=lambda path: {"spec": spec})
    assert LeaseDriver(kube).held("x") == held
    assert LeaseDriver(kube).node("x") == (held.holder.partition("_")[0] or None)
    none: Any = SimpleNamespace(get_json=lambda path: {"spec": {"leaseDurationSeconds": "soon"}})
    with pytest.raises(DriverError, match="not a Lease"):
        LeaseDriver(none).held("x")
