"""compare.py: the table grows by finished rounds, and the two numbers are held side by side."""

from __future__ import annotations

import base64
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.evidence import row_appended, rows_read
from tests.observer import compare


def row(**changes: str) -> compare.Round:
    words = {field.replace(" ", "_"): f"<{field}>" for field in compare.Round.titles()}
    return compare.Round(**(words | changes))


def test_a_table_reads_back_what_was_appended(tmp_path: Path) -> None:
    table = tmp_path / "docs" / "observer.md"
    rows = [row(run="one", last="haproxy | cp1"), row(run="two")]
    for each in rows:
        row_appended(table, each)
    read = rows_read(table, compare.Round)
    assert [each.run for each in read] == ["one", "two"]
    assert read[0].last == "haproxy / cp1", "a bar inside a cell would break the table"
    assert table.read_text().count("| date |") == 1


def test_prose_and_torn_lines_are_no_rows(tmp_path: Path) -> None:
    table = tmp_path / "observer.md"
    table.write_text("# Observer\n\nSome prose | with a bar\n")
    row_appended(table, row())
    with table.open("a") as file:
        file.write("| 2026-01-01 | torn")
    assert len(rows_read(table, compare.Round)) == 1


def test_only_rows_of_the_same_series_count() -> None:
    assert row(run="a").series() == row(run="b").series()
    assert row(machine="4 cores").series() != row().series()


def objective(**changes: Any) -> dict[str, Any]:
    base = {"indicator": "longest_outage_s", "during": "fault", "value": 3.35, "guard": False}
    return base | changes


@pytest.mark.parametrize(
    "decoy",
    [
        objective(indicator="bad_samples", value=67),
        objective(during="baseline", value=0.0),
        objective(guard=True, value=45.0),
    ],
)
def test_the_outage_is_the_objective_of_the_fault(decoy: dict[str, Any]) -> None:
    assert compare.outage_of({"objectives": [decoy, objective()]}) == 3.35
    with pytest.raises(SystemExit, match="no value"):
        compare.outage_of({"objectives": [decoy]})


def test_the_observer_is_told_address_and_credentials_only(tmp_path: Path) -> None:
    text = {name: base64.b64encode(name.encode()).decode() for name in ("ca", "cert", "key")}
    user = {"client-certificate-data": text["cert"], "client-key-data": text["key"]}
    server = {"server": "https://10.77.0.100:8443", "certificate-authority-data": text["ca"]}
    kubeconfig = {"clusters": [{"cluster": server}], "users": [{"user": user}]}
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(kubeconfig))
    cluster = {"kubeconfig": "kubeconfig", "network_namespace": "/run/netns/q-ci-client"}
    (tmp_path / "cluster.yaml").write_text(yaml.safe_dump(cluster))
    target = compare.target_read(tmp_path / "cluster.yaml")
    folder = tmp_path / "pem"
    folder.mkdir()
    argv = compare.observer_argv(Path("observer"), target, folder)
    assert argv[:2] == ["nsenter", "--net=/run/netns/q-ci-client"]
    assert argv[argv.index("-url") + 1] == f"https://10.77.0.100:8443{compare.READ}"
    for flag in ("ca", "cert", "key"):
        pem = Path(argv[argv.index(f"-{flag}") + 1])
        assert pem.read_text() == flag
        assert pem.stat().st_mode & 0o077 == 0


@pytest.mark.go
@pytest.mark.timeout(300)
def test_an_observer_without_an_answer_is_ended(tmp_path: Path) -> None:
    """No server: the round must not begin, and no observer may stay behind."""
    binary = compare.built(tmp_path)
    argv = [str(binary), "-url", "http://localhost:1/", "-for", "300ms", "-deadline", "100ms"]
    with pytest.raises(SystemExit, match="observer:"), compare.observing(argv):
        pytest.fail("the round began without a good answer")


def test_ended_gives_the_exit_code() -> None:
    child = subprocess.Popen([sys.executable, "-c", "raise SystemExit(4)"])
    assert compare.ended(child) == 4
