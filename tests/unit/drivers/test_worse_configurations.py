"""Configurations made worse, as text, read back by the parsers of the prediction."""

from __future__ import annotations

import pytest

from quorate.harness.drivers.haproxy_cfg import (
    described,
    with_fall,
    with_tcp_checks,
    without_checks,
    without_redispatch,
)
from quorate.harness.drivers.keepalived_conf import (
    with_priority,
    with_slow_adverts,
    with_slow_scripts,
)
from quorate.harness.drivers.manifests import with_flag, with_flags_after
from quorate.harness.predict.haproxy_cfg import parse_haproxy
from quorate.harness.predict.keepalived_conf import parse_keepalived

HAPROXY = """\
global
    maxconn 8000
defaults
    mode tcp
    timeout connect 500ms
frontend api
    bind *:8443
    default_backend apiservers
backend apiservers
    balance roundrobin
    option httpchk
    http-check send meth GET uri /readyz ver HTTP/1.1 hdr Host "a # b"
    http-check expect status 200
    default-server check check-ssl verify none inter 1s fall 2 rise 2
    server cp1 192.0.2.1:6443  # the first
    server cp2 192.0.2.2:6443 check
backend others
    option httpchk GET /
    server web 192.0.2.10:80 check
"""
ADDRESSES = ("192.0.2.1", "192.0.2.2")


def test_no_api_server_is_checked_and_others_are() -> None:
    worse = without_checks(HAPROXY, addresses=ADDRESSES)
    backends = parse_haproxy(worse).backends
    assert [one.check for one in backends["apiservers"].servers] == [False, False]
    assert [one.check for one in backends["others"].servers] == [True]
    assert "server cp1 192.0.2.1:6443 no-check  # the first\n" in worse
    changed = set(worse.splitlines()) - set(HAPROXY.splitlines())
    assert len(changed) == 2


def test_an_address_is_matched_as_a_whole() -> None:
    assert without_checks(HAPROXY, addresses=["192.0.2.100", "192.0.2"]) == HAPROXY


def test_tcp_checks_ask_nothing() -> None:
    worse = with_tcp_checks(HAPROXY, addresses=ADDRESSES)
    backends = parse_haproxy(worse).backends
    assert backends["apiservers"].check_path is None
    assert backends["others"].check_path == "/"
    assert [one.check for one in backends["apiservers"].servers] == [True, True]
    section = worse.partition("\nbackend apiservers\n")[2].partition("backend others")[0]
    assert "http-check" not in section
    assert section.startswith("    option tcp-check\n")
    assert section.count("no-check-ssl") == 2


def test_nothing_is_tried_elsewhere() -> None:
    able = HAPROXY.replace("    mode tcp\n", "    mode tcp\n    option redispatch 1\n")
    able = able.replace("    balance", "    option redispatch\n    balance")
    assert parse_haproxy(able).backends["apiservers"].redispatch
    worse = without_redispatch(able, addresses=ADDRESSES)
    backends = parse_haproxy(worse).backends
    assert (backends["apiservers"].redispatch, backends["others"].redispatch) == (False, True)


def test_a_configuration_says_of_itself_what_it_is() -> None:
    assert described(HAPROXY, "mine").startswith("global\n    description mine\n    maxconn")
    again = described(described(HAPROXY, "theirs"), "mine")
    assert again == described(HAPROXY, "mine")
    assert described("defaults\n    mode tcp\n", "mine") == "defaults\n    mode tcp\n"


def test_a_server_falls_later() -> None:
    backends = parse_haproxy(with_fall(HAPROXY, 5, addresses=ADDRESSES)).backends
    assert [one.fall for one in backends["apiservers"].servers] == [5, 5]
    assert [one.fall for one in backends["others"].servers] == [3]


def test_what_is_worse_already_stays_so() -> None:
    for worse in (without_checks, with_tcp_checks):
        once = worse(HAPROXY, addresses=ADDRESSES)
        assert parse_haproxy(worse(once, addresses=ADDRESSES)) == parse_haproxy(once)


KEEPALIVED = """\
vrrp_script haproxy {
    script "/usr/bin/curl http://127.0.0.1:8404/up"
    interval 1  # often
    fall 2
}
vrrp_script other
{
    script /bin/true
}
vrrp_instance api {
    state BACKUP
    priority 101
    virtual_ipaddress {
        192.0.2.100/32
    }
    track_script {
        haproxy
    }
}
vrrp_instance second {
    priority 7
}
"""


def test_one_instance_gets_the_priority() -> None:
    before = parse_keepalived(KEEPALIVED)
    after = parse_keepalived(with_priority(KEEPALIVED, instance="api", priority=103))
    assert [one.priority for one in after.instances] == [103, 7]
    assert after.scripts == before.scripts
    assert with_priority(KEEPALIVED, instance="api", priority=103).count("priority") == 2


def test_a_priority_that_is_not_there_is_set() -> None:
    text = KEEPALIVED.replace("    priority 101\n", "")
    after = parse_keepalived(with_priority(text, instance="api", priority=103))
    assert [one.priority for one in after.instances] == [103, 7]


def test_one_instance_announces_itself_seldom() -> None:
    before = parse_keepalived(KEEPALIVED)
    after = parse_keepalived(with_slow_adverts(KEEPALIVED, instance="api", advert_s=3))
    assert [one.advert_int_s for one in before.instances] == [1, 1]
    assert [one.advert_int_s for one in after.instances] == [3, 1]
    assert after.scripts == before.scripts


@pytest.mark.parametrize("name", ["haproxy", "other"])
def test_one_script_gets_slow(name: str) -> None:
    before = parse_keepalived(KEEPALIVED)
    text = with_slow_scripts(KEEPALIVED, scripts=[name], interval_s=15)
    after = parse_keepalived(text)
    assert after.scripts[name].interval_s == 15
    assert after.instances == before.instances
    (rest,) = set(before.scripts) - {name}
    assert after.scripts[rest] == before.scripts[rest]


MANIFEST = """\
spec:
  containers:
  - command:
    - kube-scheduler
    - {}
    - --leader-elect-lease-duration=15s
"""


@pytest.mark.parametrize("word", ["--leader-elect=true", '"--leader-elect=true"', "--leader-elect"])
def test_a_flag_of_a_manifest(word: str) -> None:
    worse = with_flag(MANIFEST.format(word), "--leader-elect", "false")
    quoted = '"--leader-elect=false"' if '"' in word else "--leader-elect=false"
    assert worse == MANIFEST.format(quoted)


def test_a_flag_that_is_not_there_is_not_invented() -> None:
    text = MANIFEST.format("--v=2")
    assert with_flag(text, "--leader-elect", "false") == text


def test_flags_are_added_behind_the_one_that_makes_them_count() -> None:
    text = MANIFEST.format("--leader-elect=true")
    timers = {"--leader-elect-renew-deadline": "3s", "--leader-elect-retry-period": "1s"}
    added = with_flags_after(text, "--leader-elect", timers)
    assert added.splitlines()[4:7] == [
        "    - --leader-elect=true",
        "    - --leader-elect-renew-deadline=3s",
        "    - --leader-elect-retry-period=1s",
    ]
    assert set(added.splitlines()) > set(text.splitlines())
    assert with_flags_after(added, "--leader-elect", timers) == added, "it sets them already"
    assert with_flags_after(text, "--v", timers) == text
