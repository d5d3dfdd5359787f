"""`quorate audit` on the lab: nothing on a healthy one that its list does not explain, and each of
fifteen misconfigurations that are made on purpose, by arrangements of a run that breaks nothing."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.lab import hurried, residue
from tests.lab.conftest import WHOLE_S, Lab, Played, assert_nothing_is_left, eventually
from tests.lab.killing import Live

pytestmark = pytest.mark.lab

GROUPS: Mapping[str, Mapping[str, Sequence[Any]]] = {
    "first": {
        "vrrp-script-slow": [{"vrrp_script_slow": {"interval_s": 3, "fall": 10}}],
        "lb-check-tcp-only": ["haproxy_checks_tcp_only"],
        "coredns-single-replica": ["one_coredns"],
        "etcd-learner": ["etcd_learner"],
        "certificate-expires-soon": ["certificate_expiring"],
        "webhook-single-replica": ["webhook_of_one_replica"],
        "kubeconfig-one-apiserver": ["kubelet_at_one_apiserver"],
        "workload-co-located": ["service_deployed", "replicas_on_one_node"],
    },
    "second": {
        "vrrp-same-priority": ["vrrp_same_priorities"],
        "lb-no-redispatch": ["haproxy_redispatch_off"],
        "etcd-member-misplaced": ["etcd_member_misplaced"],
        "pdb-allows-none": ["service_deployed", "pdb_zero"],
    },
    "third": {"vrrp-advert-mismatch": ["vrrp_adverts_mismatch"]},
    "fourth": {"vrrp-id-clash": ["vrrp_id_clash"]},
    "fifth": {"leader-election-off": ["leader_election_off"]},
}
"""What is put on together → finding → the arrangements that make it. Two that write the same file
cannot be on at once, nor two learners."""

PLAYED = list(GROUPS) if "QUORATE_TEST_LAB" in os.environ else ["second"]
"""All of them only on a lab that is up already: four minutes more than CI has for this. Each rule
is tried on the lab's own texts in tests/unit/audit as well."""

LOOK_S = 12.0


def audited(lab: Lab, *options: str) -> dict[str, Any]:
    accepted = lab.root / "harness" / "lab" / "audit-accepted.yaml"
    done = lab.run("audit", "--json", "--accept", str(accepted), *options, check=False)
    said: dict[str, Any] = json.loads(done.stdout)
    return said | {"exit_code": done.returncode}


def ids(said: Mapping[str, Any]) -> set[str]:
    return {one["id"] for one in said["findings"] if one["accepted"] is None}


def test_a_healthy_lab_is_explained(lab: Lab, untouched: residue.Untouched) -> None:
    eventually("the cluster is whole", lab.is_whole, timeout_s=WHOLE_S)
    said = audited(lab)
    assert ids(said) == set(), said["findings"]
    assert said["exit_code"] == 0
    assert "certificate-expires-soon" in ids(audited(lab, "--certificate-days", "400"))


@pytest.mark.parametrize("group", PLAYED)
def test_each_misconfiguration_is_found(
    lab: Lab, untouched: residue.Untouched, tmp_path: Path, group: str
) -> None:
    wanted = GROUPS[group]
    given = [one for many in wanted.values() for one in many]
    experiment = lab.root / "experiments" / "controls" / "nothing_happens.yaml"
    document = hurried.hurried(yaml.safe_load(experiment.read_text()))
    ours = document["extensions"][0]
    ours["given"] = [one for at, one in enumerate(given) if one not in given[:at]]
    ours["objectives"] = hurried.OBJECTIVES[:1]
    document["method"][0]["provider"]["arguments"] = {"for_s": LOOK_S}
    path = tmp_path / "arranged.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    eventually("the cluster is whole", lab.is_whole, timeout_s=WHOLE_S)
    live = Live.start(lab, hurried.argv("run", str(path)))
    try:
        begun = partial(live.has_come_to, "baseline_started")
        eventually("everything is arranged", begun, timeout_s=180)
        said = audited(lab)
        assert live.process.wait(timeout=300) in (0, 1, 3)
    finally:
        live.process.kill()
        live.process.wait()
    assert live.directory is not None
    assert all(Played(0, "", live.directory).oks("arrangement_undone"))
    assert set(wanted) <= ids(said), sorted(ids(said))
    assert_nothing_is_left(lab, untouched)
    assert ids(audited(lab)) == set(), "and it is gone again"
