"""Configuration files as settings: every line is there, none is a secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from quorate.harness.drivers.settings import (
    KEPT_OUT,
    haproxy_settings,
    keepalived_settings,
    kubelet_settings,
    static_pod_settings,
)
from quorate.harness.errors import DriverError
from tests import paper_lab

TEMPLATES = Path("harness", "lab", "templates")


def test_haproxy_as_the_lab_has_it(root: Path) -> None:
    found = haproxy_settings((root / TEMPLATES / "haproxy.cfg").read_text())
    assert found["haproxy defaults timeout connect"] == "500ms"
    assert found["haproxy backend apiservers option"] == "httpchk"
    assert found["haproxy backend apiservers balance"] == "roundrobin"
    assert found["haproxy frontend health monitor-uri"] == "/up"
    assert "fastinter 500ms" in found["haproxy backend apiservers default-server check"]
    assert not any("#" in what + value for what, value in found.items())


def test_keepalived_as_the_lab_has_it(root: Path) -> None:
    found = keepalived_settings(paper_lab.texts()["cp1"][paper_lab.KEEPALIVED])
    assert found["keepalived vrrp_instance api advert_int"] == "1"
    assert found["keepalived vrrp_instance api"] == "nopreempt"
    assert found["keepalived vrrp_instance api track_script"] == "haproxy"
    assert found["keepalived vrrp_script haproxy script"].startswith('"/usr/bin/curl')
    assert found["keepalived global_defs script_user"] == "root"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a { b 1 }", {"keepalived a b": "1"}),
        ("a\n{\nb 1\n}", {"keepalived": "a", "keepalived b": "1"}),
        ('a { script "! pidof x # y" ! gone\n}', {"keepalived a script": '"! pidof x # y"'}),
        ("a {\n10.0.0.1\n10.0.0.2\n}", {"keepalived a": "10.0.0.1; 10.0.0.2"}),
        ("}\nb 1", {"keepalived b": "1"}),
        ("", {}),
    ],
)
def test_keepalived_however_it_is_written(text: str, found: dict[str, str]) -> None:
    assert keepalived_settings(text) == found


def test_a_change_anywhere_is_seen() -> None:
    text = "backend x\n  server a 10.0.0.1:6443 check\n  option tcplog\n"
    assert haproxy_settings(text) != haproxy_settings(text.replace("check", "check inter 2s"))
    assert haproxy_settings(text) != haproxy_settings(text.replace("tcplog", "httplog"))
    assert haproxy_settings(text) == haproxy_settings(f"# note\n\n{text}  # more\n")


@pytest.mark.parametrize(
    "found",
    [
        keepalived_settings("vrrp_instance a {\nauthentication {\nauth_pass s3cr3t\n}\n}"),
        haproxy_settings("listen x\n  stats auth admin:s3cr3t\n"),
        haproxy_settings("userlist x\n  user joe insecure-password s3cr3t\n"),
        kubelet_settings("staticToken: s3cr3t"),
    ],
)
def test_secrets_are_named_and_left_out(found: dict[str, str]) -> None:
    assert "s3cr3t" not in str(found)
    assert KEPT_OUT in found.values()


MANIFEST = """\
spec:
  containers:
  - name: kube-apiserver
    image: k/kube-apiserver:v1.36.0
    command: [kube-apiserver, --etcd-servers=https://127.0.0.1:2379, --goaway-chance=0.001, -v, "2"]
    livenessProbe: {httpGet: {path: /livez, port: 6443}, failureThreshold: 8}
"""


def test_a_static_pod_s_image_flags_and_probes() -> None:
    assert static_pod_settings(MANIFEST) == {
        "kube-apiserver image": "k/kube-apiserver:v1.36.0",
        "kube-apiserver command": "kube-apiserver; -v; 2",
        "kube-apiserver --etcd-servers": "https://127.0.0.1:2379",
        "kube-apiserver --goaway-chance": "0.001",
        "kube-apiserver livenessProbe httpGet path": "/livez",
        "kube-apiserver livenessProbe httpGet port": "6443",
        "kube-apiserver livenessProbe failureThreshold": "8",
    }


def test_kubelet_s_fields() -> None:
    found = kubelet_settings("nodeStatusUpdateFrequency: 10s\na: {b: [1, 2]}\nc: null\n")
    assert found == {
        "kubelet nodeStatusUpdateFrequency": "10s",
        "kubelet a b": "1; 2",
        "kubelet c": "None",
    }


@pytest.mark.parametrize("text", ["", "[]", "a: [", "spec: {containers: [{}]}", "spec: {}"])
def test_what_is_no_manifest(text: str) -> None:
    with pytest.raises(DriverError, match="no "):
        static_pod_settings(text)
