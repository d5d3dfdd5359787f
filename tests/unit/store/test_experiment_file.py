"""Every mistake is told with its line, the word found and the words allowed."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from quorate.harness.errors import SpecError
from quorate.harness.model.experiment import Experiment
from quorate.harness.store.experiment_file import Words, parse_experiment, read_experiment

FUNCTIONS = {
    "node_power_off": ("target", "watch_until", "at_most_s"),
    "undo": ("watch_until", "at_most_s"),
}


def mistake(text: str, *, words: Words = Words()) -> SpecError:  # noqa: B008 a frozen value
    with pytest.raises(SpecError) as caught:
        parse_experiment(text, file="x.yaml", words=words)
    return caught.value


def test_the_shipped_experiment_is_read(text: str) -> None:
    experiment = parse_experiment(text, file="x.yaml")
    assert [step.func for step in experiment.faults] == ["node_power_off"]
    assert experiment.probes["api"].rate_hz == 20
    assert experiment.hard_timeout_s("api") == 5
    assert experiment.deadlines_s("api") == (1.0,)
    assert experiment.abort_when is not None


@pytest.mark.parametrize(
    ("old", "new", "field", "found", "allowed"),
    [
        ("rate_hz: 20", "rate: 20", "probes.api.rate", "rate", "rate_hz"),
        ("rate_hz: 20", "rate_hz: twenty", "probes.api.rate_hz", "twenty", "number"),
        ("rate_hz: 20", "rate_hz: .inf", "probes.api.rate_hz", "inf", "finite"),
        ("path: vip,", "path: vip, from: w1,", "probes.api.from", "w1", "node:<node>"),
        ("path: vip,", "path: vyp,", "probes.api.path", "vyp", "vip, haproxy:<node>"),
        ("connection: reused", "connection: old", "connection", "old", "new, reused"),
        ("tolerance: MET", "tolerance: MISSED", "tolerance", "MISSED", "MET"),
        ("strategy: always", "strategy: never", "runtime.rollbacks.strategy", "never", "always"),
        ("module: quorate.control", "module: quorate.contrl", "controls[0]", "contrl", "control"),
        ("longest_outage_s, of: api, deadline", "longest, of: api, deadline", "indicator",
         "longest", "longest_outage_s"),
        ("during: fault", "during: faults", "during", "faults", "baseline, fault, return, run"),
        ("deadline_s: 1, during: fault", "deadline_s: 9, during: fault", "deadline_s",
         "9 at 20 Hz", "at most 5"),
        ("baseline_s: 15", "baseline_s: 5", "baseline_s", "150 samples", "at least 10.0"),
        ("of: api, at_most: 45", "of: apo, at_most: 45", "abort_when.of", "apo", "api, api_reused"),
        ("at_most: 120}", "at_most: -1}", "at_most", "-1", "greater than 0"),
        ("func: undo", "func: undoo", "method[1].provider.func", "undoo", "node_power_off, undo"),
        ("target: vip-holder", "targets: vip-holder", "arguments.targets", "targets", "target"),
        ("module: quorate.faults, func: undo", "module: os, func: undo", "method[1].provider",
         "os", "quorate.faults"),
        ("given: []", "given: [all_gone]", "given[0]", "all_gone", "slow"),
        ("probe: api_quorum_read", "probe: x", "probes.api.probe", "x", "api_quorum_read"),
        ("path: vip", "path: service", "probes.api.path", "service", "vip"),
        ("path: vip", "url: http://x/", "probes.api.url", "http://x/", "a path, for api_quorum"),
        ("probe: api_quorum_read", "probe: shop", "probes.api.path", "vip", "a url in place"),
        ("path: vip, ", "url: ftp://x/, ", "probes.api.url", "ftp", "http:// or https://"),
        ("path: vip, ", "url: http://x/, path: vip, ", "probes.api", "", "a path, or a url"),
        ("path: vip, ", "", "probes.api", "", "a path, or a url"),
        ("path: vip, ", "path: vip, status: [200], ", "probes.api", "", "only beside a url"),
        ("path: vip, ", "url: http://x/, status: [99], ", "status", "99", "greater than or equal"),
        ("path: vip, ", "url: http://x/, status: ok, ", "status", "ok", "tuple"),
        ("format: 1", "format: 2", "format", "2", "1"),
    ],
)  # fmt: skip
def test_mistake_is_told_with_its_line(
    text: str, old: str, new: str, field: str, found: str, allowed: str
) -> None:
    assert text.count(old) >= 1, old
    words = Words(
        functions=FUNCTIONS,
        probes={"api_quorum_read": ("vip",), "shop": ()},
        arrangements={"slow": ["by_s"]},
    )
    error = mistake(text.replace(old, new, 1), words=words)
    line = text[: text.index(old)].count("\n") + 1
    assert field in error.field
    assert found in error.found
    assert allowed in str(error.allowed)
    assert error.line is not None
    assert abs(error.line - line) <= old.count("\n") + 1
    assert str(error).startswith(f"x.yaml:{error.line}: ")


def test_a_missing_key_is_told_at_what_should_hold_it(text: str) -> None:
    error = mistake(text.replace("baseline_s: 15", ""))
    assert error.field.endswith("baseline_s")
    assert error.found == "nothing"


def test_a_key_that_stands_twice_is_refused(text: str) -> None:
    error = mistake("title: first\n" + text)
    assert (error.field, "second time" in error.found) == ("title", True)


@pytest.mark.parametrize("text", ["", "[]", "a: [", "\t", "- a\n- b", "just words"])
def test_what_is_no_experiment_is_refused(text: str) -> None:
    assert str(mistake(text)).startswith("x.yaml")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="No such file"):
        read_experiment(tmp_path / "none.yaml")
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SpecError, match="UTF-8"):
        read_experiment(tmp_path / "bytes.yaml")


def test_a_mapping_is_told_without_file_and_line(text: str) -> None:
    document = yaml.safe_load(text)
    assert Experiment.from_mapping({**document, "dry": None}) == Experiment.from_mapping(document)
    with pytest.raises(SpecError) as caught:
        Experiment.from_mapping({**document, "titel": "x"})
    assert (caught.value.file, caught.value.line) == (None, None)


def test_only_looking_is_allowed_to_strangers(text: str) -> None:
    document = yaml.safe_load(text)
    stranger = {"type": "probe", "name": "pods", "provider": {"type": "python", "module": "k8s"}}
    read = Experiment.from_mapping({**document, "method": [*document["method"], stranger]})
    assert [step.kind for step in read.method] == ["fault", "undo", "foreign"]
    acting = {**stranger, "type": "action"}
    with pytest.raises(SpecError, match="of other modules only steps of type probe"):
        Experiment.from_mapping({**document, "method": [*document["method"], acting]})


def test_time_to_whole_since_an_undo_needs_one(text: str) -> None:
    document = yaml.safe_load(text)
    with pytest.raises(SpecError, match="a method with the step undo"):
        Experiment.from_mapping({**document, "method": document["method"][:1]})
