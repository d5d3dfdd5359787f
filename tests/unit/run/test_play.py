"""What happens to a live run when its engine is torn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from quorate.harness.errors import SpecError
from quorate.harness.run import live, play, shipped


@pytest.mark.parametrize("how", [KeyboardInterrupt, SystemExit, pytest.fail.Exception])
def test_what_tears_the_engine_ends_the_run(
    monkeypatch: pytest.MonkeyPatch, how: type[BaseException]
) -> None:
    """This process goes on to live (a pytest), so nobody else would take the fault off."""
    ended: list[str] = []

    def torn(document: Any) -> Any:
        assert ended == []
        raise how

    monkeypatch.setattr(play, "run_engine", torn)
    monkeypatch.setattr(live, "end", ended.append)
    source = play.read_source(shipped.find("vip_drop_holder"))
    with pytest.raises(how):
        play.play_source(source, options=live.Options())
    assert len(ended) == 1


def test_an_experiment_is_a_file_or_the_name_of_a_shipped_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    source = play.read_source(Path("controls/nothing_happens"))
    assert source.text == shipped.find("controls/nothing_happens").read_text()
    assert source.name == "nothing_happens"
    (tmp_path / "vip_drop_holder").write_text("mine")
    assert play.read_source(Path("vip_drop_holder")).text == "mine", "a file goes first"
    for name in ("vip_drop_holder.yaml", "nowhere", "suites/core"):
        with pytest.raises(SpecError, match="No such file"):
            play.read_source(Path(name))
