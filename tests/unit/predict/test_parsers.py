"""Configuration files as people write them."""

from __future__ import annotations

import pytest

from quorate.harness.errors import DriverError
from quorate.harness.predict.haproxy_cfg import parse_haproxy
from quorate.harness.predict.keepalived_conf import parse_keepalived

KEEPALIVED = """
! the sample of kubeadm's HA guide, shortened
global_defs { router_id LVS_DEVEL
  vrrp_version 3 }
vrrp_script check_apiserver {
  script "/etc/keepalived/check_apiserver.sh # not a comment"
  interval 3
  weight -2
  fall 10
  rise 2
}
vrrp_instance VI_1
{
    state MASTER   # only a comment
    interface eth0
    virtual_router_id 51
    priority 101
    advert_int 0.1
    authentication {
        auth_type PASS
        auth_pass 42
    }
    virtual_ipaddress {
        10.0.0.9/24 dev eth0
        10.0.0.10
    }
    track_script { check_apiserver }
}
"""


def test_keepalived() -> None:
    facts = parse_keepalived(KEEPALIVED)
    (instance,) = facts.instances
    assert (instance.name, instance.state, instance.priority) == ("VI_1", "MASTER", 101)
    assert (instance.advert_int_s, instance.version, instance.nopreempt) == (0.1, 3, False)
    assert instance.virtual_addresses == ("10.0.0.9/24", "10.0.0.10")
    assert instance.track_scripts == ("check_apiserver",)
    script = facts.scripts["check_apiserver"]
    assert (script.interval_s, script.fall, script.weight, script.timeout_s) == (3, 10, -2, None)
    assert script.script.endswith("# not a comment")
    assert facts.holding("10.0.0.9") is instance
    assert facts.holding("10.0.0.1") is None


def test_keepalived_defaults_are_those_of_the_program() -> None:
    (instance,) = parse_keepalived("vrrp_instance a {\n}\n").instances
    assert (instance.priority, instance.advert_int_s, instance.down_timer_adverts) == (100, 1.0, 3)
    assert parse_keepalived("").instances == ()


@pytest.mark.parametrize(
    ("text", "line"),
    [("a {\n b {\n}\n", 1), ("a {\n}\n}\n", 3), ("vrrp_instance a {\n priority high\n}", 1)],
)
def test_keepalived_damage_is_told_with_its_line(text: str, line: int) -> None:
    with pytest.raises(DriverError, match=rf"keepalived\.conf:{line}: "):
        parse_keepalived(text)


HAPROXY = """
global
    log /dev/log local0   # a comment
defaults
    timeout connect 5s
    timeout client 35000
    option redispatch
    default-server inter 2s
frontend api
    bind *:8443,:::9443
    default_backend apiservers
backend apiservers
    option httpchk GET /healthz
    http-check expect status 200
    timeout check 1500ms
    no option redispatch
    default-server inter 1s fastinter 250ms fall 4 rise 3 on-marked-down shutdown-sessions
    server cp1 10.0.0.11:6443 check check-ssl verify none
    server cp2 [fd00::2]:6443 check inter 3s
    server cp3 10.0.0.13:6443
listen stats
    bind 127.0.0.1:8404
    server self 127.0.0.1:1
"""


def test_haproxy() -> None:
    facts = parse_haproxy(HAPROXY)
    backend = facts.behind(8443)
    assert backend is not None
    assert backend is facts.behind(9443)
    assert (backend.check_path, backend.redispatch, backend.retries) == ("/healthz", False, 3)
    assert (backend.timeout_connect_s, backend.timeout_check_s) == (5.0, 1.5)
    assert backend.timeout_client_s == 35.0
    one, two, three = backend.servers
    assert (one.inter_s, one.fastinter_s, one.fall, one.rise) == (1.0, 0.25, 4, 3)
    assert (one.check, one.check_ssl, one.shutdown_sessions) == (True, True, True)
    assert (two.address, two.port, two.inter_s, two.fastinter_s) == ("[fd00::2]", 6443, 3.0, 0.25)
    assert (three.check, three.check_ssl) == (False, False)
    stats = facts.behind(8404)
    assert stats is not None
    assert (stats.name, stats.servers[0].inter_s) == ("stats", 2.0)
    assert facts.behind(80) is None


@pytest.mark.parametrize(
    ("line", "redispatch", "after"),
    [
        ("option redispatch", True, -1),
        ("option redispatch 1", True, 1),
        ("no option redispatch", False, -1),
    ],
)
def test_haproxy_may_try_another_server(line: str, redispatch: bool, after: int) -> None:
    server = "server a b:1 check-ssl no-check-ssl"
    backend = parse_haproxy(f"listen api\n  bind *:1\n  {line}\n  {server}").behind(1)
    assert backend is not None
    assert (backend.redispatch, backend.redispatch_after) == (redispatch, after)
    assert not backend.servers[0].check_ssl


@pytest.mark.parametrize(
    "line", ["timeout connect soon", "server a", "server a b:c", "retries x", 'log "open']
)
def test_haproxy_damage_is_told_with_its_line(line: str) -> None:
    with pytest.raises(DriverError, match=r"haproxy\.cfg:2: "):
        parse_haproxy(f"backend a\n  {line}\n")
