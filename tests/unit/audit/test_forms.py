"""The forms of an audit, read back by what they are meant for; and the verb's exit codes."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from quorate.harness import cli
from quorate.harness.audit.catalogue import RULES
from quorate.harness.model.audit import Acceptance, Audit
from quorate.harness.model.schemas import schema_text
from quorate.harness.run import auditing
from quorate.harness.run.auditing import FORMS
from quorate.harness.run.opening import Parts
from tests import paper_lab as paper
from tests.unit.audit.conftest import Lab

EXPLAINED = Acceptance(id="coredns-without-budget", of="kube-system/*", reason="as kubeadm does")
HOSTILE = "cp1\x1b[2Jgone\n::error::<b>&"


@pytest.fixture
def worse(lab: Lab) -> Audit:
    """Something that blocks, something that costs, something unknown, something explained."""
    lab.replace(paper.HAPROXY, "uri /readyz", "uri /healthz")
    lab.replace(paper.KEEPALIVED, "advert_int 1", "advert_int 3")
    lab.backups.clear()
    return lab.audit(explained=[EXPLAINED])


def test_the_text_says_what_blocks_first_and_alike_things_once(worse: Audit) -> None:
    text = FORMS["text"](worse)
    heads = [line for line in text.splitlines() if line.startswith(("BLOCKING", "WARNING", "UNKN"))]
    assert heads[0].startswith("BLOCKING lb-check-not-readyz: cp1, cp2, cp3: ")
    assert [line.split()[0] for line in heads] == ["BLOCKING", "WARNING", "UNKNOWN"]
    assert "    found  haproxy.cfg of cp2, backend apiservers: uri /healthz\n" in text
    assert "    costs  6.6 to 9.6 s (VRRP: 3 · 3 s + skew" in text
    assert "    fix    http-check send meth GET uri /readyz\n" in text
    assert "  coredns-without-budget of kube-system/coredns: as kubeadm does\n" in text
    assert text.endswith("Not highly available as it is: what is BLOCKING comes first.\n")


def test_json_is_as_its_schema_says(worse: Audit) -> None:
    schema = json.loads(schema_text("audit"))
    document = json.loads(FORMS["json"](worse))
    Draft202012Validator(schema).validate(document)
    assert Audit.model_validate_json(FORMS["json"](worse)) == worse
    bad = {**document, "findings": [{**document["findings"][0], "severity": "FINE"}]}
    assert not Draft202012Validator(schema).is_valid(bad)


def test_sarif_has_what_2_1_0_requires(worse: Audit) -> None:
    """Sections 3.13, 3.14, 3.18, 3.19, 3.27 and 3.35 of the standard."""
    document = json.loads(FORMS["sarif"](worse))
    assert document["version"] == "2.1.0"
    (run,) = document["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert run["tool"]["driver"]["name"] == "quorate"
    assert [rule["id"] for rule in rules] == [rule.text.id for rule in RULES]
    assert len(run["results"]) == len(worse.findings)
    for result, finding in zip(run["results"], worse.findings, strict=True):
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"] == finding.id
        assert result["level"] in ("error", "warning", "note")
        assert finding.found in result["message"]["text"]
        (place,) = result["locations"][0]["logicalLocations"]
        assert place["name"] == finding.of
        assert ("suppressions" in result) is (finding.accepted is not None)
    assert run["results"][0]["level"] == "error"
    assert run["invocations"][0]["executionSuccessful"] is False, "something was not read"
    prints = [one["partialFingerprints"]["ruleAndPlace/v1"] for one in run["results"]]
    assert len(set(prints)) == len(prints)


def test_junit_has_a_case_for_each_rule(worse: Audit) -> None:
    suite = ET.fromstring(FORMS["junit"](worse))[0]
    cases = {case.get("name"): case for case in suite}
    assert set(cases) == {rule.text.id for rule in RULES}
    assert (suite.get("failures"), suite.get("errors")) == ("1", "1")
    failure = cases["lb-check-not-readyz"].find("failure")
    assert failure is not None
    assert (failure.text or "").count("\n") == 2, "a line for each of three nodes"
    assert cases["etcd-backup-not-found"].find("error") is not None
    slow = cases["vrrp-takeover-slow"].find("system-out")
    assert slow is not None
    assert "6.6 to 9.6 s" in (slow.text or "")
    assert list(cases["coredns-without-budget"]) == [], "it is explained"
    assert list(cases["etcd-alarm"]) == []


@pytest.mark.parametrize("form", FORMS)
def test_hostile_words_stay_in_their_place(worse: Audit, form: str) -> None:
    spoiled = worse.findings[0].model_copy(update={"of": HOSTILE, "found": HOSTILE})
    text = FORMS[form](worse.model_copy(update={"findings": (spoiled,), "cluster": HOSTILE}))
    assert "\x1b" not in text
    assert "\n::error::" not in text
    if form == "junit":
        ET.fromstring(text)


def test_only_what_is_open_counts(lab: Lab) -> None:
    lab.members[2]["isLearner"] = True
    ids = [one.id for one in lab.audit().findings]
    entries = [Acceptance(id=one, of="*", reason="why not") for one in ids]
    assert lab.audit().exit_code == 1
    found = lab.audit(explained=entries)
    assert (found.exit_code, found.open) == (0, ())


def test_an_entry_is_about_one_rule_and_one_place(lab: Lab) -> None:
    elsewhere = Acceptance(id="coredns-without-budget", of="other/*", reason="x")
    another = Acceptance(id="coredns-on-one-node", of="*", reason="x")
    found = lab.audit(explained=[elsewhere, another])
    assert len(found.open) == 1
    assert found.unmatched == (elsewhere, another)


Ended = Callable[..., int]


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch, lab: Lab, tmp_path: Path) -> Ended:
    """The command on the lab on paper; its exit code."""

    def connect(cluster: object) -> Any:
        lab.server.objects = lab.objects
        return paper.drivers(lab.server, nodes=lab._nodes())

    parts = Parts(state_dir=tmp_path, enter=lambda cluster: None, connect=connect)
    found: Any = lambda path: Path("cluster.yaml")  # noqa: E731
    monkeypatch.setattr(auditing, "Parts", lambda: parts)
    monkeypatch.setattr(auditing, "find_cluster", found)
    monkeypatch.setattr(auditing, "read_cluster", lambda path: paper.cluster())
    # Certificates on paper are good for 300 days from the NOW on paper.
    monkeypatch.setattr(auditing, "datetime", _PaperClock)

    def run(*arguments: str) -> int:
        with pytest.raises(SystemExit) as end:
            cli.main(["audit", *arguments])
        assert isinstance(end.value.code, int)
        return end.value.code

    return run


class _PaperClock:
    @staticmethod
    def now(zone: object) -> object:
        from tests.unit.audit.conftest import NOW

        return NOW


def test_exit_codes(ended: Ended, lab: Lab, capfd: pytest.CaptureFixture[str]) -> None:
    assert ended() == 0
    assert capfd.readouterr().out.endswith("0 BLOCKING, 1 WARNING, 0 UNKNOWN. Nothing blocks.\n")
    lab.backups.clear()
    assert ended() == 3
    lab.alarms.append({"memberID": "1", "alarm": "CORRUPT"})
    assert ended("--json") == 1
    capfd.readouterr()
    assert ended("--format", "xml") == 2
    assert ended("--backup-max-age", "soon") == 2
    assert ended("--json", "--format", "sarif") == 2


def test_a_list_explains_and_what_it_does_not_match_is_told(
    ended: Ended, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    entry = "  - {{id: {}, of: {}, reason: so it is}}\n"
    entries = [("coredns-without-budget", "kube-system/coredns"), ("etcd-alarm", "etcd")]
    listed = tmp_path / "accepted.yaml"
    listed.write_text("format: 1\naccepted:\n" + "".join(entry.format(*one) for one in entries))
    assert ended("--accept", str(listed)) == 0
    said = capfd.readouterr()
    assert "0 WARNING" in said.out
    assert said.err == "accepted, and not found: etcd-alarm of etcd (so it is)\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("format: 1\naccepted:\n  - {id: no-such-rule, of: x, reason: y}\n", ":3: accepted[0].id"),
        (
            "format: 1\naccepted:\n  - {id: etcd-alarm, of: x}\n",
            "accepted[0].reason: found nothing",
        ),
        ("format: 2\naccepted: []\n", ":1: format"),
        ("accepted: []\n", "format: found nothing"),
        ("format: 1\naccepted: []\nmore: 1\n", "the unknown key 'more'"),
    ],
)
def test_a_mistake_in_the_list_is_told_with_its_place(
    ended: Ended, tmp_path: Path, capfd: pytest.CaptureFixture[str], text: str, told: str
) -> None:
    listed = tmp_path / "accepted.yaml"
    listed.write_text(text)
    assert ended("--accept", str(listed)) == 2
    assert told in capfd.readouterr().err


def test_a_list_that_is_not_there(ended: Ended, capfd: pytest.CaptureFixture[str]) -> None:
    assert ended("--accept", "no-such-file.yaml") == 2
    assert "no-such-file.yaml" in capfd.readouterr().err


def test_it_is_written_to_a_file(ended: Ended, tmp_path: Path) -> None:
    file = tmp_path / "audit.sarif"
    assert ended("--format", "sarif", "-o", str(file)) == 0
    assert json.loads(file.read_text())["version"] == "2.1.0"
