"""A plan that is kept is played, as long as it is what a run would do."""

from __future__ import annotations

import json
from collections.abc import Callable

from tests.contract.engine.conftest import FakeCluster

Make = Callable[..., str]


def test_what_was_kept_is_played_and_what_has_changed_is_refused(
    cluster: FakeCluster, experiment: Make
) -> None:
    kept = cluster.folder / "tonight.plan"
    planned = cluster.play("quorate", "plan", experiment("vip_drop_holder"), "--save", str(kept))
    assert planned.exit_code == 0, planned.output
    said = json.loads(kept.read_text())
    assert said["targets"] == {"vip-holder": ["cp1"]}
    assert any("cp1" in one for one in said["undos"])
    other = cluster.folder / "other.plan"
    other.write_text(json.dumps(said | {"targets": {"vip-holder": ["cp2"]}}))
    refused = cluster.play("quorate", "run", "--plan", str(other))
    assert refused.exit_code == 3, refused.output
    assert "vip-holder cp2 → cp1" in refused.output
    assert not (cluster.folder / "runs").exists()
    played = cluster.play("quorate", "run", "--plan", str(kept))
    assert played.exit_code == 0, played.output
    assert not cluster.is_off("cp1")
