"""The observer's own tests are Go's; here they are run, and its command line is tried."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.mark.go
@pytest.mark.timeout(300)  # a cold Go cache compiles crypto/tls first
def test_go_tests_pass() -> None:
    for argv in (["go", "vet", "./..."], ["go", "test", "-count=1", "./..."]):
        done = subprocess.run(argv, cwd=HERE, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{' '.join(argv)}\n{done.stdout}{done.stderr}"


@pytest.mark.go
def test_go_sources_are_formatted_and_need_nothing() -> None:
    done = subprocess.run(
        ["gofmt", "-l", "."], cwd=HERE, capture_output=True, text=True, check=True
    )
    assert done.stdout == ""
    assert "require" not in (HERE / "go.mod").read_text()
