"""What happens to a live run when its engine is torn."""

from __future__ import annotations

from typing import Any

import pytest

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
