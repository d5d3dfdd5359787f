"""CONTRIBUTING shows a fault that is really there, as it really is."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
FAULTS = ROOT / "harness" / "faults"


def test_the_example_is_the_file_and_the_line() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    example = text.partition("```python\n")[2].partition("```")[0]
    line = text.partition("```text\n            Haproxy")[2].partition("```")[0]
    assert example == (FAULTS / "haproxy_pause.py").read_text()
    assert f"            Haproxy{line}" in (FAULTS / "catalogue.py").read_text()
    assert (ROOT / "experiments" / "haproxy_pause.yaml").is_file()
