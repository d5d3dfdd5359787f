"""Ansible's host patterns."""

from __future__ import annotations

import pytest

from quorate.harness.cluster.inventories.ranges import expanded


@pytest.mark.parametrize(
    ("pattern", "names", "port"),
    [
        ("node1", ["node1"], ""),
        ("192.0.2.1", ["192.0.2.1"], ""),
        ("2001:db8::1", ["2001:db8::1"], ""),
        ("node1:2222", ["node1"], "2222"),
        ("n[1:3]", ["n1", "n2", "n3"], ""),
        ("n[08:10].example:22", ["n08.example", "n09.example", "n10.example"], "22"),
        ("n[0:4:2]", ["n0", "n2", "n4"], ""),
        ("n[:2]", ["n0", "n1", "n2"], ""),
        ("db-[a:c]", ["db-a", "db-b", "db-c"], ""),
        ("r[1:2]-[a:b]", ["r1-a", "r1-b", "r2-a", "r2-b"], ""),
    ],
)
def test_what_a_pattern_stands_for(pattern: str, names: list[str], port: str) -> None:
    assert expanded(pattern) == (tuple(names), port)


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("n[1:3", "first:last"),
        ("n1]", "first:last"),
        ("n[]", "number to number"),
        ("n[1:]", "number to number"),
        ("n[1:c]", "number to number"),
        ("n[01:100]", "one width"),
        ("n[1:3:0]", "above 0"),
        ("n[1:3:]", "above 0"),
        ("n[3:1]", "before its first"),
        ("n[1:99999999]", "more than 1000"),
        ("n[1:100][1:100]", "more than 1000"),
    ],
)
def test_what_is_none(pattern: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        expanded(pattern)
