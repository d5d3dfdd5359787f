from __future__ import annotations

import stat
from pathlib import Path

import pytest

from quorate.harness.cluster.file import read_cluster, write_cluster
from quorate.harness.errors import SpecError, StoreError

TEXT = """\
format: 1
name: quorate                      # a comment
kubeconfig: kubeconfig
virtual_ip: {address: 10.77.0.100, port: 8443}
nodes:
  - {name: cp1, address: 10.77.0.11, roles: [control-plane, etcd, load-balancer]}
  - name: w1
    address: 10.77.0.21
    roles: [worker]
ssh: {user: root, port: 22, options: [-i, /abs/key, -o, StrictHostKeyChecking=yes]}
power: {command: [/abs/python, -m, quorate, lab, power, --name, quorate, "{action}", "{node}"]}
network_namespace: /run/netns/q-quorate-client
haproxy: {stats_socket: /run/haproxy/admin.sock, monitor_port: 8404, monitor_uri: /up}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "cluster.yaml"
    path.write_text(TEXT)
    return path


def test_paths_count_from_the_files_directory(path: Path, tmp_path: Path) -> None:
    cluster = read_cluster(path)
    assert cluster.kubeconfig == tmp_path / "kubeconfig"
    assert cluster.network_namespace == Path("/run/netns/q-quorate-client")
    assert cluster.ssh.options[1] == "/abs/key"
    assert cluster.ca is None
    path.write_text(f"{TEXT}ca: pki/ca.pem\n")
    assert read_cluster(path).ca == tmp_path / "pki" / "ca.pem"


def test_what_was_written_reads_the_same_from_anywhere(path: Path, tmp_path: Path) -> None:
    cluster = read_cluster(path)
    copy = tmp_path / "runs" / "r1" / "cluster.yaml"
    copy.parent.mkdir(parents=True)
    write_cluster(cluster, copy)
    assert read_cluster(copy) == cluster
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert [each.name for each in copy.parent.iterdir()] == ["cluster.yaml"]


def test_a_real_cluster_needs_little(path: Path) -> None:
    path.write_text(TEXT[: TEXT.index("ssh:")])
    cluster = read_cluster(path)
    assert cluster.network_namespace is None
    assert cluster.power is None
    assert cluster.ssh.options == ()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("port: 8443", "prot: 8443", r":4: virtual_ip\.(prot|port): found"),
        ("virtual_ip: {address: 10.77.0.100, port: 8443}\n", "", r":1: virtual_ip: found nothing"),
        ("10.77.0.21", "10.77.0.321", r":8: nodes\[1\]\.address: .*an IP address or a host name"),
        ("[worker]", "[wroker]", r":9: nodes\[1\]\.roles\[0\]: found 'wroker', .*'worker'"),
        ("haproxy: {", "haproxy: {colour: red, ", r":13: haproxy\.colour: .*stats_socket, monitor"),
        ("haproxy:", "hparoxy:", r":13: hparoxy: found the unknown key .*virtual_ip, nodes, ssh"),
        ("format: 1", "format: 2", r":1: format: found 2, allowed: .*1"),
        ("10.77.0.21", "10.77.0.11", r"nodes that do not fit together.*10\.77\.0\.11"),
        ('"{node}"', "cp1", r":11: power\.command: .*\{action\} and \{node\}"),
        (
            "name: w1",
            "name: w1\n    name: w2",
            r":8: nodes\[\d\]\.name: .* a second time",
        ),
        ("nodes:", "nodes: [", r"cluster\.yaml:\d+: found .*allowed: YAML"),
        ("port: 22,", "port: 0, user: ,", r"cluster\.yaml:10: "),
    ],
)
def test_a_mistake_names_file_line_field_and_way_out(
    path: Path, old: str, new: str, said: str
) -> None:
    assert TEXT.count(old) == 1
    path.write_text(TEXT.replace(old, new))
    with pytest.raises(SpecError, match=said) as caught:
        read_cluster(path)
    assert str(caught.value).startswith(str(path))
    assert caught.value.exit_code == 2


def test_several_mistakes_are_counted_and_the_first_line_is_shown(path: Path) -> None:
    path.write_text(TEXT.replace("10.77.0.100", "vip").replace("8404", "0").replace("worker", "w"))
    with pytest.raises(SpecError, match=r":4: virtual_ip\.address.*besides this one: 2\)"):
        read_cluster(path)


@pytest.mark.parametrize("text", ["", "- a\n", "just words\n"])
def test_a_file_that_is_something_else(path: Path, text: str) -> None:
    path.write_text(text)
    with pytest.raises(SpecError, match="quorate lab up"):
        read_cluster(path)


def test_no_file_and_no_text_say_how_to_get_one(path: Path) -> None:
    with pytest.raises(SpecError, match=r"no such file, allowed: .*your-cluster"):
        read_cluster(path.with_name("none.yaml"))
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(SpecError, match="utf-8"):
        read_cluster(path)


def test_a_place_that_cannot_be_written_is_named(path: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"no/cluster\.yaml: No such file"):
        write_cluster(read_cluster(path), tmp_path / "no" / "cluster.yaml")
