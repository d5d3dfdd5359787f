"""Fingerprints: the same or not, and what differs in words."""

from __future__ import annotations

from quorate.harness.model.fingerprint import Fingerprint, changes

ADVERT = "keepalived vrrp_instance api advert_int"


def fingerprint(**nodes: dict[str, str]) -> Fingerprint:
    return Fingerprint.of({"virtual IP": "10.0.0.1 port 8443"}, nodes)


def test_the_order_of_settings_is_no_difference() -> None:
    one = fingerprint(cp1={"a": "1", "b": "2"}, cp2={"a": "1"})
    other = fingerprint(cp2={"a": "1"}, cp1={"b": "2", "a": "1"})
    assert one.id == other.id != ""
    assert changes(one, other) == ()
    assert one.id != fingerprint(cp1={"a": "1", "b": "2"}, cp2={"a": "2"}).id


def test_what_is_not_known_is_like_nothing() -> None:
    assert Fingerprint.of({}, {}, missing=("haproxy.cfg on cp1",)).id == ""


def test_changes_name_setting_values_and_nodes() -> None:
    before = fingerprint(cp1={ADVERT: "1"}, cp2={ADVERT: "1"}, cp3={ADVERT: "1"})
    after = fingerprint(cp1={ADVERT: "1"}, cp2={ADVERT: "3"}, cp3={ADVERT: "1"})
    assert changes(before, after) == ("keepalived advert_int 1 → 3 on cp2",)
    all_ = fingerprint(cp1={ADVERT: "3"}, cp2={ADVERT: "3"}, cp3={ADVERT: "3"})
    assert changes(before, all_) == ("keepalived advert_int 1 → 3 on cp1, cp2, cp3",)


def test_where_there_are_two_vrrp_instances_it_is_said_which() -> None:
    other = "keepalived vrrp_instance ingress advert_int"
    before = fingerprint(cp1={ADVERT: "1", other: "1"})
    assert changes(before, fingerprint(cp1={ADVERT: "3", other: "1"})) == (
        f"{ADVERT} 1 → 3 on cp1",
    )
    swapped = changes(fingerprint(cp1={ADVERT: "1"}), fingerprint(cp1={other: "1"}))
    assert swapped == (f"{ADVERT} 1 taken out on cp1", f"{other} 1 added on cp1")


def test_changes_of_nodes_and_of_what_is_there() -> None:
    before = Fingerprint.of({"virtual IP": "a"}, {"w1": {"x": "1"}, "w2": {"x": "1"}})
    after = Fingerprint.of({"virtual IP": "b"}, {"w1": {"y": "2"}, "w3": {"x": "1"}})
    assert changes(before, after) == (
        "virtual IP a → b",
        "node w2 is gone",
        "node w3 is new",
        "x 1 taken out on w1",
        "y 2 added on w1",
    )


def test_it_survives_its_file() -> None:
    one = Fingerprint.of({"a": "ä"}, {"cp1": {"b": "2"}}, missing=("c",))
    assert Fingerprint.model_validate_json(one.model_dump_json()) == one
