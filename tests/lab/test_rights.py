"""The least rights, on the lab: with them all goes, with one taken away the refusal names it.

`quorate` is told of the cluster by a file that names a ServiceAccount's token and an ssh user who
is not root; the rules and the lines for sudoers are those that `quorate rights` prints.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from quorate.harness.model.rights import POD_VANTAGE, RIGHTS, TAKING_OVER, Right
from tests.lab import hurried, residue
from tests.lab.conftest import (
    WHOLE_S,
    Lab,
    assert_nothing_is_left,
    assert_on_and_off,
    eventually,
)
from tests.lab.least_rights import USER, LeastRights, without

pytestmark = pytest.mark.lab

NEEDING = {
    "path: kubernetes": "coredns_kill",
    "path: dns": "coredns_kill",
    "path: cluster-ip": "coredns_kill",
    POD_VANTAGE: "apiserver_isolate_seen_from_pod",
    "worker_drain": "worker_drain",
    "one_coredns": "controls/coredns_kill_of_one",
    "service_deployed": "coredns_kill",
    "pdb_zero": "controls/worker_drain_blocked_by_budget",
    "webhook_of_one_replica": "arranged",
    "": "controls/nothing_happens",
}
"""What needs a right → an experiment that has it."""

EVERYBODYS = ("/readyz", "/version", "selfsubjectaccessreviews", "selfsubjectreviews")
"""What Kubernetes' own roles system:public-info-viewer and system:basic-user grant everybody who is
authenticated: that our rule lacks takes nothing away."""

TAKEN = [
    one for one in RIGHTS if one.resource not in EVERYBODYS and one.needed_by != (TAKING_OVER,)
]

PARTS_BESIDE = {"pods": ("probes", "faults"), "faults": ("pods",)}


@pytest.fixture(scope="module")
def least(
    lab: Lab, untouched: residue.Untouched, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LeastRights]:
    eventually("the cluster is whole", lab.is_whole, timeout_s=WHOLE_S)
    given = LeastRights(lab, tmp_path_factory.mktemp("least"))
    try:
        given.grant()
        yield given
    finally:
        given.revoke()


@pytest.mark.parametrize("fault", ["worker_drain", "apiserver_kill"])
def test_a_fault_of_the_api_and_one_of_the_nodes_come_on_and_off(
    lab: Lab, least: LeastRights, untouched: residue.Untouched, tmp_path: Path, fault: str
) -> None:
    path = tmp_path / f"{fault}.yaml"
    path.write_text(yaml.safe_dump(hurried.hurried(hurried.shipped(fault)), sort_keys=False))
    eventually("the cluster is whole", lab.is_whole, timeout_s=WHOLE_S)
    argv = hurried.argv("run", str(path), "--cluster", str(least.cluster))
    assert_on_and_off(lab.play_argv(argv, timeout_s=600))
    assert_nothing_is_left(lab, untouched)


@pytest.mark.parametrize("other", ["pods", "faults"])
def test_each_right_that_is_taken_away_is_named(
    lab: Lab, least: LeastRights, tmp_path: Path, other: str
) -> None:
    """The first reason to want it is as good as any; what `plan` says is what `run` is refused for
    (tests/contract). Two manifests hold some of the same, so that one of them is away meanwhile."""
    arranged = yaml.safe_load((lab.root / "experiments/controls/nothing_happens.yaml").read_text())
    arranged["extensions"][0]["given"] = ["webhook_of_one_replica"]
    (tmp_path / "arranged.yaml").write_text(yaml.safe_dump(arranged, sort_keys=False))
    taken = [right for right in TAKEN if right.part in PARTS_BESIDE[other]]
    with least.away(other):
        not_named = [what for right in taken if (what := _unnamed(lab, least, right, tmp_path))]
    assert not not_named, "\n".join(not_named)


def _unnamed(lab: Lab, least: LeastRights, right: Right, folder: Path) -> str:
    """What is wrong with the refusal for want of this right; "" where it names it."""
    role, rule = _rule_of(least, right)
    word = next(iter(right.needed_by), "")
    home = folder if NEEDING[word] == "arranged" else lab.root / "experiments"
    argv = ("plan", str(home / f"{NEEDING[word]}.yaml"), "--cluster", str(least.cluster))
    least.apply(without(role, rule))
    try:
        done = lab.run(*argv, check=False)
    finally:
        least.apply(yaml.safe_dump(role))
    said = done.stdout + done.stderr
    wanted = [f"{one}" for one in right.accesses()]
    lacking = [one for one in wanted if one not in said]
    if done.returncode == 3 and not lacking and f"quorate rights --{right.part}" in said:
        return ""
    return f"{right}: exit code {done.returncode}, without {lacking}:\n{said}"


def _rule_of(least: LeastRights, right: Right) -> tuple[dict[str, object], int]:
    """The role whose rule grants it, and which of its rules that is."""
    found = [
        (role, at)
        for role in least.roles()
        if role["metadata"]["name"] == f"quorate-{right.part}"
        and role["metadata"].get("namespace", "") == right.namespace
        for at, rule in enumerate(role["rules"])
        if right.resource in rule.get("resources", ())
        and right.group in rule["apiGroups"]
        and list(right.names) == rule.get("resourceNames", [])
        and list(right.verbs) == rule["verbs"]
    ]
    assert len(found) == 1, right
    return found[0]


def test_a_node_whose_sudo_refuses_is_named_before_anything_is_touched(
    lab: Lab, least: LeastRights
) -> None:
    experiment = str(lab.root / "experiments" / "apiserver_kill.yaml")
    away = f"/var/tmp/sudoers-{USER}"
    assert lab.on("cp2", "mv", f"/etc/sudoers.d/{USER}", away).returncode == 0
    try:
        played = lab.play_argv(
            lab.argv("run", experiment, "--cluster", str(least.cluster)), timeout_s=300
        )
    finally:
        assert lab.on("cp2", "mv", away, f"/etc/sudoers.d/{USER}").returncode == 0
    assert played.exit_code == 3
    assert "cp2" in played.output
    assert "sudo" in played.output
    assert not {"injection_started", "injection_proved"} & {
        event["kind"] for event in played.events
    }


def test_sudo_that_asks_gets_its_password_and_nothing_keeps_it(
    lab: Lab, least: LeastRights, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The last test of this file: from here on sudo asks."""
    password = "correct-horse-battery-staple"
    least.ask_password(password)
    path = tmp_path / "haproxy_pause.yaml"
    document = hurried.hurried(hurried.shipped("haproxy_pause"))
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    argv = hurried.argv("run", str(path), "--cluster", str(least.cluster))
    without_it = lab.play_argv(argv, timeout_s=300)
    assert without_it.exit_code == 3
    assert "password is required" in without_it.output
    monkeypatch.setenv("QUORATE_SUDO_PASSWORD", password)
    played = lab.play_argv(argv, timeout_s=300)
    assert_on_and_off(played)
    kept = [one for one in played.directory.rglob("*") if one.is_file()]
    assert kept
    assert not [one for one in kept if password.encode() in one.read_bytes()]
    assert password not in played.output
