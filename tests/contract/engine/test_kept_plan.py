"""A plan that is kept is played, as long as it is what a run would do."""

from __future__ import annotations

import json
from collections.abc import Callable

from quorate.harness.model.plan_file import PlanFile
from tests.contract.engine.conftest import FakeCluster

Make = Callable[..., str]


def test_what_was_kept_is_played_and_what_has_changed_is_refused(
    cluster: FakeCluster, experiment: Make
) -> None:
    kept, other = cluster.folder / "tonight.plan", cluster.folder / "other.plan"
    planned = cluster.play("quorate", "plan", experiment("vip_drop_holder"), "--save", str(kept))
    assert planned.exit_code == 0, planned.output
    said = PlanFile.model_validate_json(kept.read_text())
    assert said.targets == {"vip-holder": ["cp1"]}

    other.write_text(
        json.dumps(said.model_dump(mode="json") | {"targets": {"vip-holder": ["cp2"]}})
    )
    edited = cluster.play("quorate", "run", "--plan", str(other))
    assert (edited.exit_code, "edited since" in edited.output) == (2, True), edited.output

    moved = said.model_copy(update={"targets": {"vip-holder": ["cp2"]}}).sealed
    other.write_text(moved.model_dump_json())
    refused = cluster.play("quorate", "run", "--plan", str(other))
    assert (refused.exit_code, "vip-holder cp2 → cp1" in refused.output) == (3, True)
    assert not (cluster.folder / "runs").exists()

    played = cluster.play("quorate", "run", "--plan", str(kept))
    assert played.exit_code == 0, played.output
    assert json.loads(played.text_of("run.json"))["seed"] == said.seed
    assert played.text_of("experiment.yaml") == said.text
