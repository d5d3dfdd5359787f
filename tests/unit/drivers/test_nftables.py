"""nft tables as text, and what is read back from a node."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from quorate.harness.drivers.nftables import (
    Drop,
    NftablesDriver,
    Ruleset,
    absent_pattern,
    both_ways,
    parse_packets,
    remove_argv,
    service,
)
from quorate.harness.drivers.reach import ReachDriver, Seen
from quorate.harness.errors import DriverError, NodeUnreachable, RefusedError
from quorate.harness.transport import MemoryTransport, Reply

TABLE = "quorate_130101_ab12_etcd_isolate_1"
GONE = Reply(error=NodeUnreachable("cp1", argv=["x"], problem="no route"))
LISTING = f"""\
table inet {TABLE} {{
    chain in {{
        iifname @links tcp dport 2380 counter packets 12 bytes 900 drop
        iifname @links tcp sport 2380 counter packets 30 bytes 1800 drop
    }}
}}
"""


@pytest.mark.parametrize(
    ("drop", "words"),
    [
        (Drop("in"), ""),
        (Drop("in", protocol=112), "meta l4proto 112"),
        (Drop("in", peer="192.0.2.1"), "ip saddr 192.0.2.1"),
        (Drop("out", peer="192.0.2.1"), "ip daddr 192.0.2.1"),
        (Drop("in", own="2001:db8::1"), "ip6 daddr 2001:db8::1"),
        (Drop("out", own="2001:db8::1"), "ip6 saddr 2001:db8::1"),
        (Drop("in", ports=(6443,)), "tcp dport { 6443 }"),
        (Drop("out", ports=(6443,)), "tcp sport { 6443 }"),
        (Drop("in", ports=(2379, 2380), port_of="peer"), "tcp sport { 2379, 2380 }"),
        (
            Drop("out", peer="192.0.2.1", ports=(2380,), port_of="peer"),
            "ip daddr 192.0.2.1 tcp dport { 2380 }",
        ),
    ],
)
def test_a_drop_in_the_words_of_nft(drop: Drop, words: str) -> None:
    assert drop.words() == words


def test_a_service_is_lost_whoever_dialled() -> None:
    words = {(drop.way, drop.words()) for drop in service((2380,))}
    assert words == {
        ("in", "tcp dport { 2380 }"),
        ("in", "tcp sport { 2380 }"),
        ("out", "tcp dport { 2380 }"),
        ("out", "tcp sport { 2380 }"),
    }


def test_every_rule_names_the_links_and_counts() -> None:
    text = Ruleset(TABLE, ("eth0", "bond0.7"), service((2380,)), arp="192.0.2.100").text()
    rules = [line for line in text.splitlines() if "drop" in line]
    assert len(rules) == 6
    assert all(re.search(r"[io]ifname @links .*counter drop$", rule) for rule in rules)
    assert text.count('elements = { "eth0", "bond0.7" }') == 2
    assert "timeout" not in text


def test_what_expires_by_itself_is_in_the_kernel_s_hands() -> None:
    text = Ruleset(TABLE, ("eth0",), both_ways(), arp="all", expires_s=40.0).text()
    assert text.count('flags timeout; elements = { "eth0" timeout 40000ms }') == 2
    assert text.count("@links counter drop") == 4, "in and out, IP and ARP"


@pytest.mark.parametrize(
    "ruleset",
    [
        Ruleset("x; flush ruleset", ("eth0",), both_ways()),
        Ruleset(TABLE, (), both_ways()),
        Ruleset(TABLE, ('eth0" }; }',), both_ways()),
        Ruleset(TABLE, ("eth0",), both_ways(peer="192.0.2.1; flush ruleset")),
        Ruleset(TABLE, ("eth0",), both_ways(ports=(0,))),
        Ruleset(TABLE, ("eth0",), both_ways(protocol=256)),
        Ruleset(TABLE, ("eth0",), both_ways(), arp="2001:db8::1"),
    ],
)
def test_nothing_but_names_and_numbers_gets_into_the_text(ruleset: Ruleset) -> None:
    with pytest.raises(ValueError, match=r"[a-z0-9]"):
        ruleset.text()


@pytest.mark.skipif(shutil.which("nft") is None, reason="no nft on this machine")
def test_nft_itself_understands_it() -> None:
    ruleset = Ruleset(
        TABLE,
        ("eth0", "bond0.7"),
        (*service((2379, 2380)), *both_ways(own="192.0.2.1", protocol=112), Drop("in")),
        arp="192.0.2.100",
        expires_s=12.5,
    )
    checked = subprocess.run(["nft", "-c", ruleset.text()], capture_output=True, text=True)
    if "not permitted" in checked.stderr:
        pytest.skip("nft needs root even to check")
    assert checked.returncode == 0, checked.stderr


def test_taking_off_is_a_constant_program_with_data_behind_it() -> None:
    one, other = remove_argv("quorate_a", units=("x.timer",)), remove_argv("quorate_b")
    assert one[:4] == other[:4]
    assert one[4:] == ("quorate_a", "x.timer")
    assert other[4:] == ("quorate_b",)


def test_absent_means_not_in_the_list() -> None:
    pattern = absent_pattern(TABLE)
    for there in (f"table inet {TABLE}\n", f"table ip nat\ntable arp {TABLE}\ntable ip6 x\n"):
        assert not re.search(pattern, there, re.MULTILINE)
    for gone in ("", "table ip nat\n", f"table inet {TABLE}2\n"):
        assert re.search(pattern, gone, re.MULTILINE)


def test_packets_are_summed_over_rules() -> None:
    assert parse_packets(LISTING) == 42
    assert parse_packets("") == 0


def test_what_a_table_has_lost() -> None:
    transport = MemoryTransport().on("nft", "list", "table", reply=Reply(LISTING))
    transport.on("nft", "list", "table", reply=Reply(returncode=1), node="cp2")
    transport.on("sh", reply=Reply(LISTING))
    nftables = NftablesDriver(transport)
    assert nftables.lost("cp1", TABLE) == 42
    assert nftables.lost("cp2", TABLE) is None
    assert nftables.had_lost("cp2", TABLE) == 42


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (Reply(returncode=127, stderr="nft: command not found"), "install the package nftables"),
        (Reply(returncode=1, stderr="Operation not permitted"), "as root"),
        (Reply(f"table ip nat\ntable inet {TABLE}\n"), "Of an earlier run"),
    ],
)
def test_a_node_that_cannot_be_used_is_refused(reply: Reply, says: str) -> None:
    transport = MemoryTransport().on("nft", reply=reply)
    with pytest.raises(RefusedError, match=f"cp1.*{says}"):
        NftablesDriver(transport).check("cp1")


def test_a_node_that_can_be_used() -> None:
    transport = MemoryTransport().on("nft", reply=Reply("table ip nat\ntable inet kube-proxy\n"))
    NftablesDriver(transport).check("cp1")


def test_links_are_the_devices_of_the_routes() -> None:
    said = '[{"dst":"192.0.2.2","dev":"eth1"}]\n[{"dst":"x","dev":"eth0"}]\n[{"dev":"lo"}]\n'
    transport = MemoryTransport().on("sh", reply=Reply(said))
    assert NftablesDriver(transport).links("cp1", to=["192.0.2.2"]) == ("eth0", "eth1")
    assert transport.calls[0].argv[-1] == "192.0.2.2"


@pytest.mark.parametrize(("said", "error"), [("[]", RefusedError), ("RTNETLINK", DriverError)])
def test_links_that_cannot_be_told(said: str, error: type[Exception]) -> None:
    transport = MemoryTransport().on("sh", reply=Reply(said))
    with pytest.raises(error, match="cp1"):
        NftablesDriver(transport).links("cp1", to=["192.0.2.2"])


@pytest.mark.parametrize(
    ("reply", "seen"),
    [
        (Reply("connected\n"), "connected"),
        (Reply("refused\n"), "refused"),
        (Reply("silent\n"), "silent"),
        (Reply("no route\n"), "no route"),
        (Reply(returncode=127), None),
        (GONE, None),
    ],
)
def test_what_becomes_of_a_connection(reply: Reply, seen: Seen | None) -> None:
    transport = MemoryTransport().on("python3", reply=reply)
    assert ReachDriver(transport).seen_from("cp2", address="192.0.2.1", port=6443) == seen
