"""Arrangements that cover a file: what they lay over what, and whose word they take for it."""

from __future__ import annotations

import re

import pytest

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.files import covered_argv
from quorate.harness.drivers.haproxy import CONFIGURATION, UNIT
from quorate.harness.drivers.keepalived import DUMP_ARGV
from quorate.harness.drivers.manifests import path_of
from quorate.harness.drivers.processes import words_argv
from quorate.harness.errors import RefusedError
from quorate.harness.faults.arrangements.haproxy_checks_off import HaproxyChecksOff
from quorate.harness.faults.arrangements.haproxy_checks_slow import HaproxyChecksSlow
from quorate.harness.faults.arrangements.haproxy_checks_tcp_only import HaproxyChecksTcpOnly
from quorate.harness.faults.arrangements.leader_election_off import LeaderElectionOff
from quorate.harness.faults.arrangements.leases_short import LeasesShort
from quorate.harness.faults.arrangements.vrrp_adverts_slow import VrrpAdvertsSlow
from quorate.harness.faults.arrangements.vrrp_same_priorities import VrrpSamePriorities
from quorate.harness.faults.arrangements.vrrp_script_slow import VrrpScriptSlow
from quorate.harness.predict.haproxy_cfg import parse_haproxy
from quorate.harness.predict.keepalived_conf import parse_keepalived
from quorate.harness.run.switches import switches_for
from quorate.harness.transport import MemoryTransport, Reply
from tests.unit.faults.covers.worse import (
    CONF,
    DUMP,
    NODES,
    haproxy_says,
    planned,
    said,
)


def test_checks_are_off_when_haproxy_says_so(drivers: Drivers, haproxy: MemoryTransport) -> None:
    arrangement = HaproxyChecksOff()
    plan = planned(arrangement, drivers)
    acts = arrangement.acts(drivers, plan=plan)
    assert [act.node for act in acts] == list(NODES)
    (text,) = {act.argv[-2] for act in acts}
    assert not parse_haproxy(text).backends["apiservers"].servers[0].check
    assert {act.argv[-1] for act in acts} == {UNIT}
    assert not arrangement.proof(drivers, plan=plan).ok
    haproxy_says(haproxy, drivers, "no check", "")
    assert arrangement.proof(drivers, plan=plan).ok


def test_the_undo_is_confirmed_by_haproxy_s_own_word(
    drivers: Drivers, haproxy: MemoryTransport
) -> None:
    for arrangement, worse in (
        (HaproxyChecksOff(), said("no check", "")),
        (HaproxyChecksTcpOnly(), said("UP", "* L4OK")),
    ):
        plan = planned(arrangement, drivers)
        undos = arrangement.undos(drivers, plan=plan)
        assert len(switches_for(undos, plan=plan)) == len(NODES)
        pattern = re.compile(str(undos[0].confirm_expect), re.MULTILINE)
        for good in (said("UP", "L7OK"), said("DOWN", "* L4TOUT"), said("UP", "INI")):
            assert pattern.search(good.stdout)
        assert not pattern.search(worse.stdout)
        assert not pattern.search(""), "no answer is no confirmation"


def test_tcp_checks_are_seen_by_the_last_check(drivers: Drivers, haproxy: MemoryTransport) -> None:
    arrangement = HaproxyChecksTcpOnly()
    plan = planned(arrangement, drivers)
    for check in ("L7OK", "INI", "L6OK"):
        haproxy_says(haproxy, drivers, "UP", check)
        assert not arrangement.proof(drivers, plan=plan).ok
    haproxy_says(haproxy, drivers, "UP", "* L4OK")
    assert arrangement.proof(drivers, plan=plan).ok
    with pytest.raises(RefusedError, match="as it is"):
        planned(arrangement, drivers)


def test_a_file_that_is_covered_is_left_alone(drivers: Drivers, haproxy: MemoryTransport) -> None:
    haproxy.on(*covered_argv(CONFIGURATION), reply=Reply("covered\n"))
    with pytest.raises(RefusedError, match="quorate undo"):
        planned(HaproxyChecksOff(), drivers)


def test_a_haproxy_that_is_no_unit_is_refused(drivers: Drivers, haproxy: MemoryTransport) -> None:
    haproxy.on("systemctl", "show", reply=Reply("ActiveState=inactive\nMainPID=0\n"))
    with pytest.raises(RefusedError, match="no active systemd unit"):
        planned(HaproxyChecksOff(), drivers)


def test_priorities_are_the_highest_of_all(drivers: Drivers, keepalived: MemoryTransport) -> None:
    arrangement = VrrpSamePriorities()
    plan = planned(arrangement, drivers)
    acts = arrangement.acts(drivers, plan=plan)
    assert [act.node for act in acts] == ["cp1", "cp2"], "cp3 has it already"
    assert {parse_keepalived(act.argv[-2]).instances[0].priority for act in acts} == {103}
    assert not arrangement.proof(drivers, plan=plan).ok
    for node in NODES:
        keepalived.on(*DUMP_ARGV, reply=Reply(DUMP.format(1, 103, 1)), node=node)
    assert arrangement.proof(drivers, plan=plan).ok
    confirm = arrangement.undos(drivers, plan=plan)[0]
    assert confirm.confirm_expect
    assert re.search(confirm.confirm_expect, DUMP.format(1, 101, 1), re.MULTILINE)
    assert not re.search(confirm.confirm_expect, DUMP.format(1, 103, 1), re.MULTILINE)
    for node in NODES:
        keepalived.on("cat", reply=Reply(CONF % 103), node=node)
    with pytest.raises(RefusedError, match="like that already"):
        planned(arrangement, drivers)


def test_a_slow_script_is_seen_in_keepalived_s_own_words(
    drivers: Drivers, keepalived: MemoryTransport
) -> None:
    arrangement = VrrpScriptSlow()
    plan = planned(arrangement, drivers)
    assert not arrangement.proof(drivers, plan=plan).ok
    for node in NODES:
        keepalived.on(*DUMP_ARGV, reply=Reply(DUMP.format(1, 101, 15)), node=node)
    assert arrangement.proof(drivers, plan=plan).ok


def test_slow_adverts_are_seen_in_keepalived_s_own_words(
    drivers: Drivers, keepalived: MemoryTransport
) -> None:
    arrangement = VrrpAdvertsSlow()
    plan = planned(arrangement, drivers)
    acts = arrangement.acts(drivers, plan=plan)
    assert {parse_keepalived(act.argv[-2]).instances[0].advert_int_s for act in acts} == {3}
    assert not arrangement.proof(drivers, plan=plan).ok
    for node in NODES[:2]:
        keepalived.on(*DUMP_ARGV, reply=Reply(DUMP.format(3, 101, 1)), node=node)
    assert not arrangement.proof(drivers, plan=plan).ok, "two of three"
    keepalived.on(*DUMP_ARGV, reply=Reply(DUMP.format(3, 103, 1)), node="cp3")
    assert arrangement.proof(drivers, plan=plan).ok


def test_slow_checks_are_seen_by_what_haproxy_goes_by(
    drivers: Drivers, haproxy: MemoryTransport
) -> None:
    usual = Reply("apiservers/cp1 falls after 2\napiservers/other falls after 2\n")
    haproxy.on(*drivers.haproxy.falls_argv(), reply=usual)
    arrangement = HaproxyChecksSlow()
    plan = planned(arrangement, drivers)
    acts = arrangement.acts(drivers, plan=plan)
    assert {parse_haproxy(act.argv[-2]).backends["apiservers"].servers[0].fall for act in acts} == {
        5
    }
    assert not arrangement.proof(drivers, plan=plan).ok
    slow = Reply("apiservers/cp1 falls after 5\napiservers/other falls after 2\n")
    haproxy.on(*drivers.haproxy.falls_argv(), reply=slow)
    assert arrangement.proof(drivers, plan=plan).ok
    expected = str(arrangement.undos(drivers, plan=plan)[0].confirm_expect)
    assert re.search(expected, usual.stdout, re.MULTILINE)
    assert not re.search(expected, slow.stdout, re.MULTILINE)
    assert not re.search(expected, "", re.MULTILINE), "no answer is no confirmation"


PARTS = ("kube-scheduler", "kube-controller-manager")


@pytest.fixture
def parts(drivers: Drivers, transport: MemoryTransport) -> MemoryTransport:
    transport.on("systemctl", "show", reply=Reply("ActiveState=inactive\nMainPID=0\n"))
    transport.on("sh", "-c", "command -v crictl || command -v ctr || true", reply=Reply("/x/ctr\n"))
    transport.on("ctr", "-n", "k8s.io", "containers", reply=Reply("c0ffee\n"))
    transport.on("ctr", "-n", "k8s.io", "tasks", reply=Reply("T P S\nc0ffee 62 RUNNING\n"))
    for part in PARTS:
        transport.on(*covered_argv(path_of(part)), reply=Reply("uncovered\n"))
        transport.on("cat", path_of(part), reply=Reply(f"  - {part}\n  - --leader-elect=true\n"))
        transport.on(*words_argv(part), reply=Reply(f"{part}\n--leader-elect=true\n"))
    return transport


def test_leader_election_is_off_when_the_processes_were_told_so(
    drivers: Drivers, parts: MemoryTransport
) -> None:
    arrangement = LeaderElectionOff()
    plan = planned(arrangement, drivers)
    assert len(arrangement.acts(drivers, plan=plan)) == 12
    assert not arrangement.proof(drivers, plan=plan).ok
    parts.on(*words_argv(PARTS[0]), reply=Reply(f"{PARTS[0]}\n--leader-elect=false\n"))
    assert not arrangement.proof(drivers, plan=plan).ok, "one of two"
    parts.on(*words_argv(PARTS[1]), reply=Reply(f"{PARTS[1]}\n--leader-elect=false\n"))
    assert arrangement.proof(drivers, plan=plan).ok


def test_leader_election_is_on_again_when_every_process_was_told_so(
    drivers: Drivers, parts: MemoryTransport
) -> None:
    arrangement = LeaderElectionOff()
    plan = planned(arrangement, drivers)
    undos = arrangement.undos(drivers, plan=plan)
    assert [undo.node for undo in undos[:6]] == ["harness"] * 6, "carried out last"
    assert len(switches_for(undos, plan=plan)) == 6
    (pattern,) = {undo.confirm_expect for undo in undos[:6] if undo.id.endswith("scheduler")}
    assert pattern is not None
    on, off = (f"kube-scheduler\n--leader-elect={word}\n" for word in ("true", "false"))
    assert re.search(pattern, on, re.MULTILINE)
    assert re.search(pattern, f"/usr/bin/{on}", re.MULTILINE)
    for wrong in (off, on + off, ""):
        assert not re.search(pattern, wrong, re.MULTILINE)


def test_a_manifest_without_the_flag_is_refused(drivers: Drivers, parts: MemoryTransport) -> None:
    parts.on("cat", path_of(PARTS[0]), reply=Reply("kind: Pod\n"))
    with pytest.raises(RefusedError, match="does not say --leader-elect=true"):
        planned(LeaderElectionOff(), drivers)


def test_a_short_lease_is_seen_on_the_command_line(
    drivers: Drivers, parts: MemoryTransport
) -> None:
    arrangement = LeasesShort()
    plan = planned(arrangement, drivers)
    covers = [act for act in arrangement.acts(drivers, plan=plan) if "--leader" in act.argv[-2]]
    assert len(covers) == 3
    assert not arrangement.proof(drivers, plan=plan).ok
    words = f"{PARTS[0]}\n--leader-elect=true\n--leader-elect-lease-duration=5s\n"
    parts.on(*words_argv(PARTS[0]), reply=Reply(words))
    assert arrangement.proof(drivers, plan=plan).ok
    parts.on("cat", path_of(PARTS[0]), reply=Reply("kind: Pod\n"))
    with pytest.raises(RefusedError, match="does not say --leader-elect=true"):
        planned(arrangement, drivers)
