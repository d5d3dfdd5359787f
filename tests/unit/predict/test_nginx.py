"""nginx.conf as facts, and what its passive checks make of an API server that does not serve."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from quorate.harness.drivers.settings import nginx_settings
from quorate.harness.errors import DriverError
from quorate.harness.model.cluster import Cluster
from quorate.harness.model.touch import Part, Way
from quorate.harness.predict.api_path import api_costs
from quorate.harness.predict.cluster_facts import ClusterFacts, Unpredicted
from quorate.harness.predict.facts import NginxFacts, NginxProxy, NginxServer
from quorate.harness.predict.nginx_balancing import nginx_tries_another_after_s
from quorate.harness.predict.nginx_conf import parse_directives, parse_nginx
from quorate.harness.predict.parts import Parts
from quorate.harness.predict.situation import Asked, Situation
from tests import paper_lab as paper
from tests.unit.predict.conftest import CONTROL_PLANES, KEPT, NEW, Strikes

TEXT = paper.texts(paper.BY_NGINX)["cp1"][paper.NGINX]
THREE = tuple(NginxServer(f"10.77.0.1{i}", 6443) for i in (1, 2, 3))
PROXY = NginxProxy("apiservers", THREE, connect_timeout_s=0.5, timeout_s=90.0)


def test_the_lab_s_own() -> None:
    assert parse_nginx(TEXT) == NginxFacts({8443: PROXY})


def test_defaults_are_nginx_s_own_and_a_server_goes_by_its_own_before_the_stream_s() -> None:
    bare = "stream { upstream u { server a:1; server b:2 max_fails=3 fail_timeout=1m30s; }"
    found = parse_nginx(
        f"{bare} proxy_timeout 5s; server {{ listen 9; proxy_pass u; proxy_timeout 7; }}"
        "server { listen 127.0.0.1:10 so_keepalive=on; proxy_pass c:3; proxy_next_upstream off; } }"
    )
    first, second = found.behind(9), found.behind(10)
    assert first == NginxProxy("u", (NginxServer("a", 1), NginxServer("b", 2, 3, 90.0)), 60.0, 7.0)
    assert second is not None
    assert (second.servers, second.timeout_s) == ((NginxServer("c", 3),), 5.0)
    assert not second.next_upstream
    assert found.behind(11) is None


def test_http_servers_and_sockets_are_not_the_api_s() -> None:
    text = "http { server { listen 8443; } } stream { server { listen unix:/x; proxy_pass a:1; } }"
    assert parse_nginx(text).proxies == {}


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
    [
        "stream {",
        "a b",
        "}",
        ";",
        'a "b;',
        'a "b"c;',
        "stream { upstream u { server a; } }",
        "stream { upstream u { server unix:/x; } }",
        "stream { upstream u { server a:1 max_fails=x; } }",
        "stream { server { listen 1; proxy_connect_timeout 5q; } }",
        "stream { server { listen 1; proxy_connect_timeout; } }",
        "stream { proxy_next_upstream maybe; }",
    ],
)
def test_what_is_no_configuration_is_said_with_its_line(text: str) -> None:
    with pytest.raises(DriverError, match=r"nginx\.conf:1: "):
        parse_nginx(text)


@pytest.mark.parametrize(
    ("changes", "silent", "lost", "after_s"),
    [
        ({}, True, 1, 0.5),
        ({}, True, 2, 1.0),
        ({}, True, 3, None),
        ({}, False, 2, 0.0),
        ({"next_upstream": False}, False, 1, None),
        ({"next_upstream_tries": 1}, False, 1, None),
        ({"next_upstream_tries": 2}, False, 1, 0.0),
        ({"next_upstream_timeout_s": 0.5}, True, 1, None),
        ({"next_upstream_timeout_s": 0.6}, True, 1, 0.5),
        ({"servers": THREE[:1]}, False, 1, None),
    ],
)
def test_how_soon_another_server_is_tried(
    changes: dict[str, Any], silent: bool, lost: int, after_s: float | None
) -> None:
    assert (
        nginx_tries_another_after_s(replace(PROXY, **changes), silent=silent, lost=lost) == after_s
    )


@pytest.fixture
def cluster() -> Cluster:
    return paper.cluster(paper.BY_NGINX)


@pytest.fixture
def behind(facts: ClusterFacts) -> ClusterFacts:
    """The ordinary lab's facts, with Nginx in place of HAProxy."""
    nginx = dict.fromkeys(CONTROL_PLANES, NginxFacts({8443: PROXY}))
    return replace(facts, balancer="nginx", haproxy={}, nginx=nginx)


def changed(facts: ClusterFacts, **changes: Any) -> ClusterFacts:
    proxy = replace(PROXY, **changes)
    return replace(facts, nginx=dict.fromkeys(CONTROL_PLANES, NginxFacts({8443: proxy})))


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
