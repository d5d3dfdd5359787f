"""CONTRIBUTING shows a fault that is really there, as it really is."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
FAULTS = ROOT / "harness" / "faults"


def test_the_example_is_the_file_and_the_line() -> None:
    blocks = (ROOT / "CONTRIBUTING.md").read_text().split("```python\n")[1:]
    example, line = (block.partition("```")[0] for block in blocks[:2])
    assert example == (FAULTS / "haproxy_pause.py").read_text()
    assert line in (FAULTS / "catalogue.py").read_text()
    assert (ROOT / "experiments" / "haproxy_pause.yaml").is_file()
