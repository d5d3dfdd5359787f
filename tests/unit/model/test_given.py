"""An arrangement with arguments, as it is read, written, told and checked."""

from __future__ import annotations

import re

import pytest
import yaml

from quorate.harness.errors import SpecError
from quorate.harness.faults.catalogue import check_arguments, known_arrangements
from quorate.harness.model.experiment import Experiment
from quorate.harness.model.given import Given
from quorate.harness.run.new_experiment import new_experiment

SLOW = {"vrrp_script_slow": {"interval_s": 3, "fall": 10}}


def read(given: object) -> Experiment:
    document = yaml.safe_load(new_experiment("haproxy_pause", target="vip-holder"))
    document["extensions"][0]["given"] = given
    known = known_arrangements()
    experiment = Experiment.from_mapping(document, known_arrangements=known)
    check_arguments(experiment)
    return experiment


def test_a_word_and_a_word_with_arguments() -> None:
    experiment = read(["one_coredns", SLOW])
    assert list(map(str, experiment.given)) == [
        "one_coredns",
        "vrrp_script_slow {interval_s: 3, fall: 10}",
    ]
    assert experiment.model_dump(mode="json")["given"] == ["one_coredns", SLOW]
    assert Given.model_validate("one_coredns").arguments == {}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["nonsense"], "given[0]: found 'nonsense', allowed: acts_do_nothing, "),
        ([{"vrrp_script_slow": {"fell": 3}}], "fell: found the unknown key 'fell', allowed: int"),
        ([{"one_coredns": {"of": 3}}], "found the unknown key 'of', allowed: no argument"),
        ([{"vrrp_script_slow": {"fall": 0}}], "found given vrrp_script_slow with fall: 0, allowed"),
        ([{"vrrp_script_slow": {"fall": "3"}}], "with fall: '3', allowed: failed runs on end"),
        ([{"vrrp_script_slow": {"fall": True}}], "with fall: True, allowed: failed runs on end"),
        ([{"vrrp_script_slow": 3}], "allowed: a word, or {word: {argument: value}}"),
        ([{**SLOW, "one_coredns": {}}], "allowed: a word, or {word: {argument: value}}"),
        ([7], "found 7, allowed: a word, or {word: {argument: value}}"),
    ],
)
def test_what_is_wrong_is_told(given: object, told: str) -> None:
    with pytest.raises(SpecError, match=re.escape(told)):
        read(given)
