"""Covers that take arguments, or lie on one of several nodes, or tell of themselves."""

from __future__ import annotations

import re

import pytest

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.haproxy import CONFIGURATION
from quorate.harness.drivers.keepalived import DUMP_ARGV
from quorate.harness.errors import RefusedError
from quorate.harness.faults.arrangements.haproxy_redispatch_off import HaproxyRedispatchOff
from quorate.harness.faults.arrangements.vrrp_adverts_mismatch import VrrpAdvertsMismatch
from quorate.harness.faults.arrangements.vrrp_id_clash import VrrpIdClash
from quorate.harness.faults.arrangements.vrrp_script_slow import VrrpScriptSlow
from quorate.harness.predict.haproxy_cfg import parse_haproxy
from quorate.harness.predict.keepalived_conf import parse_keepalived
from quorate.harness.transport import MemoryTransport, Reply
from tests.unit.faults.covers.worse import (
    CFG,
    CONF,
    DUMP,
    NODES,
    planned,
)


def test_a_script_may_fail_as_often_as_it_is_said(
    drivers: Drivers, keepalived: MemoryTransport
) -> None:
    arrangement = VrrpScriptSlow()
    plan = planned(arrangement, drivers, interval_s=3, fall=10)
    acts = arrangement.acts(drivers, plan=plan)
    scripts = [parse_keepalived(act.argv[-2]).scripts["haproxy"] for act in acts]
    assert [(one.interval_s, one.fall) for one in scripts] == [(3, 10)] * 3
    for node in NODES:
        keepalived.on(*DUMP_ARGV, reply=Reply(DUMP.format(1, 101, 3)), node=node)
    assert not arrangement.proof(drivers, plan=plan).ok, "it gives up after one failure"
    for node in NODES:
        patient = DUMP.replace("Fall = 1", "Fall = 10").format(1, 101, 3)
        keepalived.on(*DUMP_ARGV, reply=Reply(patient), node=node)
    assert arrangement.proof(drivers, plan=plan).ok


@pytest.fixture
def held_by_cp3(keepalived: MemoryTransport) -> MemoryTransport:
    keepalived.on("ip", reply=Reply("[]"))
    held = '[{"addr_info": [{"local": "192.0.2.100"}]}]'
    return keepalived.on("ip", reply=Reply(held), node="cp3")


def test_adverts_differ_on_one_backup_alone(drivers: Drivers, held_by_cp3: MemoryTransport) -> None:
    arrangement = VrrpAdvertsMismatch()
    plan = planned(arrangement, drivers, advert_s=2)
    (act,) = arrangement.acts(drivers, plan=plan)
    (undo,) = arrangement.undos(drivers, plan=plan)
    assert act.node == undo.node == "cp2", "the last that does not hold the VIP"
    assert parse_keepalived(act.argv[-2]).instances[0].advert_int_s == 2
    assert not arrangement.proof(drivers, plan=plan).ok
    held_by_cp3.on(*DUMP_ARGV, reply=Reply(DUMP.format(2, 102, 1)), node="cp2")
    assert arrangement.proof(drivers, plan=plan).ok
    with pytest.raises(RefusedError, match="choose another advert_s"):
        planned(arrangement, drivers, advert_s=1)


def test_a_backup_is_one_that_could_be_asked(drivers: Drivers, keepalived: MemoryTransport) -> None:
    keepalived.on("ip", reply=Reply('[{"addr_info": [{"local": "192.0.2.100"}]}]'))
    with pytest.raises(RefusedError, match="not to hold the VIP"):
        planned(VrrpAdvertsMismatch(), drivers)


UNICAST = (
    "    interface eth0\n    virtual_router_id 77\n    unicast_peer {\n        192.0.2.3\n    }\n"
)
CLASH = DUMP + " VRRP Instance = quorate_id_clash\n   Virtual Router ID = {}\n"


def test_a_second_instance_has_the_router_id_and_another_address(
    drivers: Drivers, held_by_cp3: MemoryTransport
) -> None:
    arrangement = VrrpIdClash()
    with pytest.raises(RefusedError, match="no unicast_peer"):
        planned(arrangement, drivers)
    text = (CONF % 102).replace("vrrp_instance api {\n", "vrrp_instance api {\n" + UNICAST)
    held_by_cp3.on("cat", reply=Reply(text), node="cp2")
    plan = planned(arrangement, drivers)
    (act,) = arrangement.acts(drivers, plan=plan)
    own, other = parse_keepalived(act.argv[-2]).instances
    assert act.node == "cp2"
    assert own == parse_keepalived(text).instances[0], "the VIP's own is as it was"
    assert (other.virtual_router_id, other.interface) == (77, "eth0")
    assert other.virtual_addresses == ("192.0.2.77/32",)
    assert (other.priority, other.unicast_peers) == (1, ())
    for wrong in (DUMP.format(1, 102, 1), CLASH.format(1, 102, 1, 78)):
        held_by_cp3.on(*DUMP_ARGV, reply=Reply(wrong), node="cp2")
        assert not arrangement.proof(drivers, plan=plan).ok
    held_by_cp3.on(*DUMP_ARGV, reply=Reply(CLASH.format(1, 102, 1, 77)), node="cp2")
    assert arrangement.proof(drivers, plan=plan).ok
    (undo,) = arrangement.undos(drivers, plan=plan)
    assert not re.search(str(undo.confirm_expect), CLASH.format(1, 102, 1, 77), re.MULTILINE)
    assert re.search(str(undo.confirm_expect), DUMP.format(1, 102, 1), re.MULTILINE)


REDISPATCHES = "global\n    maxconn 10\ndefaults\n    option redispatch 1\n" + CFG


def test_redispatch_is_off_when_haproxy_goes_by_the_text_that_says_so(
    drivers: Drivers, haproxy: MemoryTransport
) -> None:
    arrangement = HaproxyRedispatchOff()
    with pytest.raises(RefusedError, match="no redispatch as it is"):
        planned(arrangement, drivers)
    haproxy.on("cat", CONFIGURATION, reply=Reply(REDISPATCHES.replace("global", "#")))
    with pytest.raises(RefusedError, match="no `global`"):
        planned(arrangement, drivers)
    haproxy.on("cat", CONFIGURATION, reply=Reply(REDISPATCHES))
    plan = planned(arrangement, drivers)
    acts = arrangement.acts(drivers, plan=plan)
    assert [act.node for act in acts] == list(NODES)
    assert not parse_haproxy(acts[0].argv[-2]).backends["apiservers"].redispatch
    usual = Reply("Name: HAProxy\ndescription: \n")
    worse = Reply("Name: HAProxy\ndescription: no-redispatch-by-quorate\n")
    haproxy.on(*drivers.haproxy.description_argv(), reply=usual)
    assert not arrangement.proof(drivers, plan=plan).ok
    haproxy.on(*drivers.haproxy.description_argv(), reply=worse)
    assert arrangement.proof(drivers, plan=plan).ok
    expected = str(arrangement.undos(drivers, plan=plan)[0].confirm_expect)
    assert re.search(expected, usual.stdout, re.MULTILINE)
    for wrong in (worse.stdout, ""):
        assert not re.search(expected, wrong, re.MULTILINE)
