"""nginx.conf as text → facts, and what its passive checks cost new connections."""

from __future__ import annotations

import pytest

from quorate.harness.errors import DriverError
from quorate.harness.lab.files import Keys, node_files
from quorate.harness.lab.plan import VIP_PORT, LabPlan
from quorate.harness.lab.spec import HostFacts, LabSpec
from quorate.harness.model.touch import Way
from quorate.harness.predict.cluster_facts import Unpredicted
from quorate.harness.predict.facts import NginxProxy, NginxServer
from quorate.harness.predict.nginx_balancing import (
    nginx_loses_a_machine,
    nginx_takes_elsewhere,
    nginx_tries_another_after_s,
)
from quorate.harness.predict.nginx_conf import parse_directives, parse_nginx, time_s
from tests.paper_lab import PLAN

CONFIGURATION = """\
# the whole
stream {
    proxy_connect_timeout 1s;
    upstream api { server 192.0.2.1:6443 max_fails=2 fail_timeout=30s; server 192.0.2.2:6443; }
    server { listen 8443; proxy_pass api; proxy_next_upstream_tries 1; }
    server { listen [::]:9443; proxy_pass 192.0.2.9:6443; proxy_next_upstream off; }
}
http { server { listen 8404; location = /up { return 200 "up; {yes}\\n"; } } }
"""


def test_what_stands_behind_each_port() -> None:
    facts = parse_nginx(CONFIGURATION)
    first, second = facts.behind(8443), facts.behind(9443)
    assert first is not None
    assert second is not None
    assert first.servers[0] == NginxServer("192.0.2.1", 6443, max_fails=2, fail_timeout_s=30)
    assert (first.connect_timeout_s, first.next_upstream_tries) == (1.0, 1)
    assert second.servers == (NginxServer("192.0.2.9", 6443),)
    assert not second.next_upstream
    assert facts.behind(8404) is None, "http is not what passes the API on"


def test_the_lab_s_own_is_read() -> None:
    plan = LabPlan(LabSpec(balancer="nginx"), PLAN.home, PLAN.run, PLAN.seed)
    host = HostFacts(2, True, (), None, ())
    first = plan.balancers[0]
    files = {one.path: one.content for one in node_files(plan, first, host, Keys("", "", ""))}
    proxy = parse_nginx(files["/etc/nginx/nginx.conf"]).behind(VIP_PORT)
    assert proxy is not None
    assert len(proxy.servers) == 3
    assert (proxy.connect_timeout_s, proxy.next_upstream) == (0.5, True)
    assert nginx_takes_elsewhere(proxy, way=Way.SILENT, lost=1, deadline_s=1.0).high_s == 0


@pytest.mark.parametrize(
    "text", ["stream {", "stream }", "stream { listen", 'a "b;', "server 1 {} ; ;"]
)
def test_what_is_no_configuration(text: str) -> None:
    with pytest.raises(DriverError, match=r"nginx\.conf:1"):
        parse_directives(text)


def test_a_number_that_is_none_names_its_line() -> None:
    text = "stream {\n server {\n listen 1;\n proxy_connect_timeout soon;\n } }"
    with pytest.raises(DriverError, match=r"nginx\.conf:4: 'proxy_connect_timeout soon'"):
        parse_nginx(text)


@pytest.mark.parametrize(("text", "seconds"), [("500ms", 0.5), ("1m30s", 90), ("10", 10)])
def test_times(text: str, seconds: float) -> None:
    assert time_s(text) == seconds


def proxy(**change: object) -> NginxProxy:
    servers = tuple(NginxServer(f"192.0.2.{n}", 6443) for n in (1, 2, 3))
    return NginxProxy("api", servers, connect_timeout_s=0.5, **change)  # type: ignore[arg-type]


def test_another_server_is_tried_after_the_timeout() -> None:
    assert nginx_tries_another_after_s(proxy(), silent=True, lost=1) == 0.5
    assert nginx_tries_another_after_s(proxy(), silent=False, lost=1) == 0.0
    assert nginx_tries_another_after_s(proxy(), silent=True, lost=2) == 1.0
    assert nginx_loses_a_machine(proxy(), lost=1, etcd_too=False).high_s == 0.5


@pytest.mark.parametrize(
    "change",
    [{"next_upstream": False}, {"next_upstream_tries": 1}, {"next_upstream_timeout_s": 0.4}],
)
def test_no_other_server_is_tried(change: dict[str, object]) -> None:
    assert nginx_tries_another_after_s(proxy(**change), silent=True, lost=1) is None
    with pytest.raises(Unpredicted, match="tries no other server"):
        nginx_takes_elsewhere(proxy(**change), way=Way.SILENT, lost=1, deadline_s=1.0)


def test_one_that_hangs_is_never_noticed() -> None:
    with pytest.raises(Unpredicted, match="asks no API server"):
        nginx_takes_elsewhere(proxy(), way=Way.HUNG, lost=1, deadline_s=1.0)


def test_later_than_the_deadline_is_chance() -> None:
    with pytest.raises(Unpredicted, match=r"is chance"):
        nginx_takes_elsewhere(proxy(), way=Way.SILENT, lost=1, deadline_s=0.25)
