"""nginx.conf as text → facts, and what its passive checks cost clients."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from quorate.harness.drivers.settings import nginx_settings
from quorate.harness.errors import DriverError
from quorate.harness.lab.files import Keys, node_files
from quorate.harness.lab.plan import VIP_PORT, LabPlan
from quorate.harness.lab.spec import HostFacts, LabSpec
from quorate.harness.model.cluster import Cluster
from quorate.harness.model.touch import Part, Way
from quorate.harness.predict.api_path import api_costs
from quorate.harness.predict.cluster_facts import ClusterFacts, Unpredicted
from quorate.harness.predict.facts import NginxFacts, NginxProxy, NginxServer
from quorate.harness.predict.nginx_balancing import (
    nginx_loses_a_machine,
    nginx_takes_elsewhere,
    nginx_tries_another_after_s,
)
from quorate.harness.predict.nginx_conf import parse_directives, parse_nginx, time_s
from quorate.harness.predict.parts import Parts
from quorate.harness.predict.situation import Asked, Situation
from tests import paper_lab
from tests.paper_lab import PLAN
from tests.unit.predict.conftest import CONTROL_PLANES, KEPT, NEW, Strikes

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


def test_defaults_are_nginx_s_own_and_a_server_goes_by_its_own_before_the_stream_s() -> None:
    facts = parse_nginx(
        "stream { upstream u { server a:1; } proxy_timeout 5s;"
        "server { listen 9; proxy_pass u; proxy_timeout 7; }"
        "server { listen 127.0.0.1:10 so_keepalive=on; proxy_pass c:3; } }"
    )
    assert facts.behind(9) == NginxProxy("u", (NginxServer("a", 1, 1, 10.0),), 60.0, 7.0)
    assert facts.behind(10) == NginxProxy("c:3", (NginxServer("c", 3),), 60.0, 5.0)
    assert facts.behind(11) is None


def test_a_socket_is_no_port() -> None:
    assert parse_nginx("stream { server { listen unix:/x; proxy_pass a:1; } }").proxies == {}


def test_words_comments_quotes_and_lines() -> None:
    text = "a b#c \"d ; {\" 'e\\'f'; # g { \"\nh ${i j} {\nk\nl;\n}\n"
    first, second = parse_directives(text)
    assert first.words == ("b#c", "d ; {", "e'f")
    assert second.block is not None
    assert (second.words, second.line) == (("${i j}",), 2)
    assert [(one.name, one.words, one.line) for one in second.block] == [("k", ("l",), 3)]
    assert nginx_settings('return 200 "up\\n";')["nginx return"] == "200 up\n"


@pytest.mark.parametrize(
    "text",
    ["stream {", "stream }", "stream { listen", "a b", "}", 'a "b;', 'a "b"c;', "server 1 {} ; ;"],
)
def test_what_is_no_configuration(text: str) -> None:
    with pytest.raises(DriverError, match=r"nginx\.conf:1"):
        parse_directives(text)


def test_a_number_that_is_none_names_its_line() -> None:
    text = "stream {\n server {\n listen 1;\n proxy_connect_timeout soon;\n } }"
    with pytest.raises(DriverError, match=r"nginx\.conf:4: 'proxy_connect_timeout soon'"):
        parse_nginx(text)


@pytest.mark.parametrize(
    "text",
    [
        "stream { upstream u { server a; } }",
        "stream { upstream u { server unix:/x; } }",
        "stream { upstream u { server a:1 max_fails=x; } }",
        "stream { server { listen 1; proxy_connect_timeout 5q; } }",
        "stream { server { listen 1; proxy_connect_timeout; } }",
        "stream { proxy_next_upstream maybe; }",
    ],
)
def test_what_a_directive_cannot_say(text: str) -> None:
    with pytest.raises(DriverError, match=r"nginx\.conf:1: "):
        parse_nginx(text)


@pytest.mark.parametrize(("text", "seconds"), [("500ms", 0.5), ("1m30s", 90), ("10", 10)])
def test_times(text: str, seconds: float) -> None:
    assert time_s(text) == seconds


THREE = tuple(NginxServer(f"10.77.0.1{n}", 6443) for n in (1, 2, 3))
"""The API servers of the ordinary lab."""


def proxy(**change: Any) -> NginxProxy:
    return replace(NginxProxy("api", THREE, connect_timeout_s=0.5, timeout_s=90.0), **change)


@pytest.mark.parametrize(
    ("change", "silent", "lost", "after_s"),
    [
        ({}, True, 1, 0.5),
        ({}, True, 2, 1.0),
        ({}, True, 3, None),
        ({}, False, 2, 0.0),
        ({"next_upstream_tries": 2}, False, 1, 0.0),
        ({"next_upstream_timeout_s": 0.6}, True, 1, 0.5),
        ({"next_upstream_timeout_s": 0.5}, True, 1, None),
        ({"next_upstream_timeout_s": 0.1}, False, 1, 0.0),
        ({"servers": THREE[:1]}, False, 1, None),
    ],
)
def test_how_soon_another_server_is_tried(
    change: dict[str, Any], silent: bool, lost: int, after_s: float | None
) -> None:
    assert nginx_tries_another_after_s(proxy(**change), silent=silent, lost=lost) == after_s


def test_a_machine_that_goes_costs_one_timeout() -> None:
    assert nginx_loses_a_machine(proxy(), lost=1, etcd_too=False).high_s == 0.5


@pytest.mark.parametrize(
    "change",
    [{"next_upstream": False}, {"next_upstream_tries": 1}, {"next_upstream_timeout_s": 0.4}],
)
def test_no_other_server_is_tried(change: dict[str, Any]) -> None:
    assert nginx_tries_another_after_s(proxy(**change), silent=True, lost=1) is None
    with pytest.raises(Unpredicted, match="tries no other server"):
        nginx_takes_elsewhere(proxy(**change), way=Way.SILENT, lost=1, deadline_s=1.0)


def test_one_that_hangs_is_never_noticed() -> None:
    with pytest.raises(Unpredicted, match="asks no API server"):
        nginx_takes_elsewhere(proxy(), way=Way.HUNG, lost=1, deadline_s=1.0)


def test_later_than_the_deadline_is_chance() -> None:
    with pytest.raises(Unpredicted, match=r"is chance"):
        nginx_takes_elsewhere(proxy(), way=Way.SILENT, lost=1, deadline_s=0.25)


@pytest.fixture
def cluster() -> Cluster:
    return paper_lab.cluster(paper_lab.BY_NGINX)


@pytest.fixture
def behind(facts: ClusterFacts) -> ClusterFacts:
    """The ordinary lab's facts, with Nginx in place of HAProxy."""
    nginx = dict.fromkeys(CONTROL_PLANES, NginxFacts({8443: proxy()}))
    return replace(facts, balancer="nginx", haproxy={}, nginx=nginx)


def changed(facts: ClusterFacts, **changes: Any) -> ClusterFacts:
    nginx = dict.fromkeys(CONTROL_PLANES, NginxFacts({8443: proxy(**changes)}))
    return replace(facts, nginx=nginx)


def cost(situation: Situation, facts: ClusterFacts, asked: Asked = NEW) -> tuple[float, float]:
    bounds = [one.bound for one in api_costs(situation, asked, facts)]
    return (
        max((one.low_s for one in bounds), default=0.0),
        max((one.high_s for one in bounds), default=0.0),
    )


def test_a_silent_api_server_costs_new_connections_nothing_and_kept_ones_long(
    strikes: Strikes, behind: ClusterFacts
) -> None:
    silent = strikes(Part.APISERVER, Way.SILENT, "cp2")
    assert cost(silent, behind) == (0.0, 0.0)
    assert cost(silent, behind, KEPT) == pytest.approx((0.0, 5.2)), "nothing ends them"
    assert cost(silent, changed(behind, timeout_s=2.0), KEPT) == pytest.approx((0.0, 2.2))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"connect_timeout_s": 1.0}, "after 1 s .* deadline is 1 s"),
        ({"connect_timeout_s": 60.0}, "after 60 s"),
        ({"next_upstream": False}, "tries no other server"),
        ({"servers": THREE[:1]}, "no Nginx on clients' way has a server"),
    ],
)
def test_a_silent_one_that_is_not_left_in_time_has_no_bound(
    strikes: Strikes, behind: ClusterFacts, changes: dict[str, Any], why: str
) -> None:
    with pytest.raises(Unpredicted, match=why):
        cost(strikes(Part.APISERVER, Way.SILENT, "cp2"), changed(behind, **changes))


@pytest.mark.parametrize(("way", "why"), [(Way.HUNG, "1 in 3 .* until the undo"),
                                          (Way.ENDED, "as soon as it listens")])  # fmt: skip
def test_what_accepts_and_does_not_serve_is_never_left(
    strikes: Strikes, behind: ClusterFacts, way: Way, why: str
) -> None:
    with pytest.raises(Unpredicted, match=why):
        cost(strikes(Part.APISERVER, way, "cp2"), behind)


def test_one_that_goes_in_order_is_left_at_once(strikes: Strikes, behind: ClusterFacts) -> None:
    left = strikes(Part.APISERVER, Way.LEFT, "cp2")
    assert cost(left, behind) == (0.0, 0.0)
    assert cost(left, behind, KEPT) == pytest.approx((0.0, 0.2)), "reset, and made again"


def test_without_etcd_an_api_server_keeps_its_share(strikes: Strikes, behind: ClusterFacts) -> None:
    with pytest.raises(Unpredicted, match="cp2, without etcd, goes on getting its share"):
        cost(strikes(Part.ETCD, Way.SILENT, "cp2", lost=["cp2"]), behind)


def test_the_holder_goes_as_it_does_with_haproxy(
    strikes: Strikes, behind: ClusterFacts, facts: ClusterFacts
) -> None:
    for part, way in (
        (Part.MACHINE, Way.SILENT),
        (Part.BALANCER, Way.HUNG),
        (Part.BALANCER, Way.ENDED),
        (Part.KEEPALIVED, Way.LEFT),
    ):
        struck = strikes(part, way, "cp1")
        assert cost(struck, behind) == pytest.approx(cost(struck, facts)), (part, way)
    ended = api_costs(strikes(Part.BALANCER, Way.ENDED, "cp1"), NEW, behind)
    assert "systemd starts Nginx again" in ended[0].bound.formula


def test_a_machine_that_goes_in_order_takes_its_etcd_along(
    strikes: Strikes, behind: ClusterFacts
) -> None:
    with pytest.raises(Unpredicted, match="whose etcd member ends before it"):
        cost(strikes(Part.MACHINE, Way.LEFT, "cp3"), behind)


def test_there_is_no_state_of_a_server_to_settle(strikes: Strikes, behind: ClusterFacts) -> None:
    silent = strikes(Part.APISERVER, Way.SILENT, "cp2")
    assert dict(Parts(silent, behind).settled()) == {}


def test_a_file_that_leads_nowhere_is_said(strikes: Strikes, behind: ClusterFacts) -> None:
    nowhere = replace(behind, nginx=dict.fromkeys(CONTROL_PLANES, NginxFacts()))
    with pytest.raises(Unpredicted, match=r"nginx\.conf of cp1 leads nowhere from port 8443"):
        cost(strikes(Part.APISERVER, Way.SILENT, "cp2"), nowhere)
