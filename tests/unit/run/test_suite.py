"""Suites: what may stand in one."""

from __future__ import annotations

from pathlib import Path

import pytest

from quorate.harness.errors import SpecError
from quorate.harness.run.suite import read_suite

ENTRY = "experiments: [{file: a.yaml, expect: MET}]\n"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("format: 1\ntitle: x\nexperiments: []\n", ":3: experiments"),
        ("format: 2\ntitle: x\nexperiments: [{file: a, expect: MET}]\n", ":1: format"),
        (
            "format: 1\ntitle: x\nexperiments:\n  - {file: no.yaml, expect: MET}\n",
            r":4: experiments\[0\]\.file: found 'no.yaml', no such file",
        ),
        (
            "format: 1\ntitle: x\nexperiments:\n  - {file: a, expect: PASS}\n",
            ":4: .*expect: found 'PASS', allowed: MET, MISSED, INCONCLUSIVE",
        ),
        ("format: 1\ntitle: x\nexperiments:\n  - {fil: a}\n", ":4: .*fil"),
        (f"format: 1\ntitle: x\nbudget_s: -1\n{ENTRY}", ":3: budget_s"),
        (f"format: 1\ntitle: x\nbudget_s: .inf\n{ENTRY}", ":3: budget_s"),
        (f"format: 1\ntitle: x\nbudget: 5\n{ENTRY}", ":3: budget: .*allowed: .*budget_s"),
    ],
)
def test_mistakes_have_a_line(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(text)
    with pytest.raises(SpecError, match=says):
        read_suite(file)


@pytest.mark.parametrize(("line", "budget_s"), [("", None), ("budget_s: 60\n", 60.0)])
def test_an_error_budget_may_be_given(tmp_path: Path, line: str, budget_s: float | None) -> None:
    (tmp_path / "a.yaml").touch()
    file = tmp_path / "core.yaml"
    file.write_text(f"format: 1\ntitle: Core\n{line}{ENTRY}")
    read = read_suite(file)
    assert (read.name, read.budget_s) == ("core", budget_s)
    assert read.entries[0].file == (tmp_path / "a.yaml").resolve()
