"""What is asked when all is over: the registers, etcd's members, keepalived's timer.

Nothing here fails: what could not be asked is written down as such, and the judge says what that
means.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Sequence

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.clock import Clock, wait_until
from quorate.harness.drivers.etcd import EtcdDriver
from quorate.harness.drivers.kube import ApiServer
from quorate.harness.errors import DriverError, TransportError
from quorate.harness.model.cluster import Role
from quorate.harness.model.register import Register
from quorate.harness.predict.keepalived_conf import parse_keepalived
from quorate.harness.run import pace
from quorate.harness.transport.at_once import at_once

PERIOD_S = 1.0

Row = dict[str, object]


def read_registers(
    drivers: Drivers, registers: Sequence[Register], *, now: Callable[[], float]
) -> list[Row]:
    """What each API server says of each register, by quorum reads: `value` and `version`, or
    `gone`, or the `problem`. `now`: seconds since the run's base."""
    told: dict[tuple[str, str], Row] = {}
    servers = drivers.kube.servers()

    def every_one_is_known() -> bool:
        for server in servers:
            for one in registers:
                key = (one.name, server.node.name)
                if "end" in told.get(key, {}):
                    continue
                told[key] = _read(server, one, now=now)
                if "end" not in told[key]:
                    break  # it answers nothing, and each try takes its time
        known = {name for (name, _), row in told.items() if "end" in row}
        return len(known) == len(registers)

    try:
        wait_until(drivers.clock, every_one_is_known, timeout_s=pace.READ_BACK_S, period_s=PERIOD_S)
    finally:
        for server in servers:
            server.close()
    return list(told.values())


def _read(server: ApiServer, register: Register, *, now: Callable[[], float]) -> Row:
    row: Row = {"register": register.name, "server": server.node.name}
    start = now()
    try:
        answer = server.get(register.path)
        if answer.status == http.client.NOT_FOUND:
            return {**row, "start": start, "end": now(), "gone": True}
        said = json.loads(answer.body)
        value, version = said["data"]["value"], said["metadata"]["resourceVersion"]
    except DriverError as error:
        return {**row, "problem": str(error)}
    except (ValueError, KeyError, TypeError):
        return {**row, "problem": f"{answer.status}: {answer.body[:120]!r}"}
    return {**row, "start": start, "end": now(), "value": value, "version": version}


def compare_members(etcd: EtcdDriver, members: Sequence[str], *, clock: Clock) -> dict[str, Row]:
    """Member → its `hash` at a `revision`, with what was `compacted`, or the `problem`.

    Asked again until all have told it of the same two revisions: one may be behind for a moment,
    and compaction comes to them one by one.
    """
    told: dict[str, Row] = {}

    def comparable() -> bool:
        revision = 0
        for node in members:
            try:
                one = etcd.keyspace_hash(node, revision=revision)
            except (DriverError, TransportError) as error:
                told[node] = {"problem": str(error)}
                continue
            revision = one.revision
            told[node] = {"hash": one.hash, "revision": revision, "compacted": one.compacted}
        states = {(row.get("revision"), row.get("compacted")) for row in told.values()}
        return len(states) == 1 and (None, None) not in states

    wait_until(clock, comparable, timeout_s=pace.CATCH_UP_S, period_s=PERIOD_S)
    return told


def longest_advert(drivers: Drivers) -> Row:
    """`advert_s`: the longest interval at which the VIP's instances advertise; or the `problem`."""
    vip = drivers.cluster.virtual_ip.address
    nodes = [node.name for node in drivers.cluster.with_role(Role.LOAD_BALANCER)]
    if not nodes:
        return {"problem": "cluster.yaml names no load balancer"}
    longest_s = 0.0
    try:
        texts = at_once(drivers.keepalived.configuration, nodes)
        for node, text in zip(nodes, texts, strict=True):
            instance = parse_keepalived(text).holding(vip)
            if instance is None:
                return {"problem": f"{node}: no VRRP instance has {vip}"}
            longest_s = max(longest_s, instance.advert_int_s)
    except (DriverError, TransportError) as error:
        return {"problem": str(error)}
    return {"advert_s": longest_s}
