"""What new connections do when an Nginx (stream module) sends them to a server that does not serve.

The open-source Nginx has passive checks alone (nginx.org, ngx_stream_upstream_module: `max_fails`,
`fail_timeout`; `health_check` is of the commercial one): a server that refuses, or does not take a
connection in time, is left alone for a while. Nobody asks whether one that takes them serves.
"""

from __future__ import annotations

from quorate.harness.model.touch import Way
from quorate.harness.predict.cluster_facts import Unpredicted
from quorate.harness.predict.facts import NginxProxy
from quorate.harness.predict.formulas import Bound

ASKS_NONE = "Nginx asks no API server whether it is ready"


def nginx_tries_another_after_s(proxy: NginxProxy, *, silent: bool, lost: int) -> float | None:
    """How long a new connection is kept from another server by `lost` ones that do not take it, one
    after the other. None: no other one is tried.

    `proxy_next_upstream` is for connections that cannot be made (ngx_stream_proxy_module); it ends
    when its tries are used up or its timeout has passed (ngx_stream_proxy_module.c,
    ngx_stream_proxy_next_upstream).
    """
    wait_s = lost * proxy.connect_timeout_s if silent else 0.0
    if not proxy.next_upstream or 0 < proxy.next_upstream_tries <= lost:
        return None
    if 0 < proxy.next_upstream_timeout_s <= wait_s or lost >= len(proxy.servers):
        return None
    return wait_s


def nginx_takes_elsewhere(proxy: NginxProxy, *, way: Way, lost: int, deadline_s: float) -> Bound:
    """What it costs new connections that `lost` servers do not take them: nothing where another one
    is tried in time. Raises Unpredicted where it costs something, since nothing ends that."""
    one_in = f"{lost} in {len(proxy.servers)} new connections"
    if way is Way.HUNG:
        raise Unpredicted(f"{ASKS_NONE}: {one_in} come to one that answers nothing, until the undo")
    if way is Way.ENDED:
        raise Unpredicted(
            f"{ASKS_NONE}: one that is started again has its share of new connections as soon as "
            "it listens, and how long it then takes to serve is in no configuration"
        )
    wait_s = nginx_tries_another_after_s(proxy, silent=way is Way.SILENT, lost=lost)
    if wait_s is None:
        raise Unpredicted(f"Nginx tries no other server in time: {one_in} fail, as chance has it")
    if wait_s >= deadline_s:
        raise Unpredicted(
            f"Nginx tries another server after {wait_s:g} s (proxy_connect_timeout), and the "
            f"deadline is {deadline_s:g} s: how many new connections that is, is chance"
        )
    return Bound(0.0, 0.0, f"Nginx tries another server {_when(wait_s)}")


def nginx_loses_a_machine(proxy: NginxProxy, *, lost: int, etcd_too: bool) -> Bound:
    """The same while a machine goes down in order. `etcd_too`: its API server asks an etcd member
    that goes with it. Raises Unpredicted."""
    if etcd_too:
        raise Unpredicted(
            f"{ASKS_NONE}: one whose etcd member ends before it keeps its share of new connections"
        )
    wait_s = nginx_tries_another_after_s(proxy, silent=True, lost=lost)
    if wait_s is None:
        raise Unpredicted("Nginx tries no other server in time")
    return Bound(0.0, wait_s, f"Nginx tries another server {_when(wait_s)}")


def _when(wait_s: float) -> str:
    return f"after {wait_s:g} s (proxy_connect_timeout)" if wait_s else "at once"
