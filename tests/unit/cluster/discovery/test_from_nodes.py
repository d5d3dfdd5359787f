"""What a machine's own files say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from quorate.harness.cluster.discovery.from_nodes import (
    ETCD_ENVIRONMENT,
    haproxy_of,
    machine_of,
)
from quorate.harness.drivers.manifests import path_of
from quorate.harness.drivers.nginx import CONFIGURATION
from quorate.harness.errors import DriverError
from quorate.harness.model.cluster import HAProxy

ADDRESSES = json.dumps(
    [{"ifname": "eth0", "addr_info": [{"local": "192.0.2.11"}, {"local": "192.0.2.100"}]}]
)
APISERVER = """\
spec:
  containers:
  - command: [kube-apiserver, "--etcd-servers={servers}", --etcd-certfile=/pki/client.crt]
    image: kube-apiserver:v1.36.3
"""


def test_where_haproxy_tells_about_itself() -> None:
    text = (
        "global\n  stats socket ipv4@127.0.0.1:9999 level admin\n"
        "  stats socket /run/h.sock mode 660 level admin # ours\n"
        "frontend api\n  bind *:8443\n"
        "frontend health\n  bind 127.0.0.1:9000\n  monitor-uri /alive\n"
    )
    found = haproxy_of(text)
    assert found.stats_socket == Path("/run/h.sock")
    assert (found.monitor_port, found.monitor_uri) == (9000, "/alive")


def test_what_it_does_not_say_is_default() -> None:
    assert haproxy_of("global\n  stats socket /run/read.sock level user\n") == HAProxy()


def test_a_control_plane_with_all_of_it() -> None:
    vrrp = "vrrp_instance api {\n  virtual_ipaddress {\n    192.0.2.100\n  }\n}\n"
    files = {
        "/etc/keepalived/keepalived.conf": vrrp,
        "/etc/haproxy/haproxy.cfg": "frontend api\n  bind *:8443\n",
        path_of("etcd"): "kind: Pod\n",
        path_of("kube-apiserver"): APISERVER.format(servers="https://127.0.0.1:2379"),
    }
    found = machine_of("cp1", files=files, addresses=ADDRESSES)
    assert (found.balancer, found.etcd, found.etcd_servers) == ("haproxy", True, ())
    assert found.keepalived is not None
    assert found.keepalived.holding("192.0.2.100") is not None
    assert "192.0.2.100" in found.addresses
    assert found.etcd_certificate == "/pki/client.crt"


def test_external_etcd_is_named_by_the_api_server() -> None:
    text = APISERVER.format(servers="https://192.0.2.31:2379,https://[2001:db8::2]:2379")
    found = machine_of("cp1", files={path_of("kube-apiserver"): text}, addresses=ADDRESSES)
    assert found.etcd_servers == ("192.0.2.31", "2001:db8::2")
    assert not found.etcd


def test_an_etcd_of_kubespray_has_no_manifest() -> None:
    assert machine_of("e1", files={ETCD_ENVIRONMENT: "ETCD_NAME=e1\n"}, addresses=ADDRESSES).etcd


@pytest.mark.parametrize(("text", "balancer"), [("stream {\n}\n", "nginx"), ("http {}\n", "")])
def test_nginx_balances_by_its_streams(text: str, balancer: str) -> None:
    assert machine_of("lb1", files={CONFIGURATION: text}, addresses=ADDRESSES).balancer == balancer


def test_a_package_s_own_haproxy_cfg_balances_nothing() -> None:
    files = {"/etc/haproxy/haproxy.cfg": "global\n  daemon\ndefaults\n  mode http\n"}
    assert machine_of("w1", files=files, addresses=ADDRESSES).balancer == ""
    files[CONFIGURATION] = "stream {\n}\n"
    assert machine_of("lb1", files=files, addresses=ADDRESSES).balancer == "nginx"


def test_what_cannot_be_read_is_said() -> None:
    with pytest.raises(DriverError, match="is not JSON"):
        machine_of("x", files={}, addresses="oops")
    with pytest.raises(DriverError, match=r"kube-apiserver\.yaml"):
        machine_of("x", files={path_of("kube-apiserver"): "{"}, addresses=ADDRESSES)
