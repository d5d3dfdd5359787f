"""What is written for schedulers: that they read it as it was meant, and what is refused."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from quorate.harness import cli
from quorate.harness.cluster.file import write_cluster
from quorate.harness.errors import UsageError
from quorate.harness.model.cluster import Cluster
from quorate.harness.run.schedule import Schedule, cron_line, cronjob, systemd_units
from quorate.harness.run.window import read_freeze, read_window

PLAIN = Schedule(
    name="core",
    program=["/usr/bin/quorate"],
    suite="/srv/suites/core.yaml",
    cluster="/etc/quorate/cluster.yaml",
    runs="/var/lib/quorate/runs",
    folder="/srv",
)
LIMITED = replace(
    PLAIN,
    window=read_window("22:00-04:00"),
    freezes=(read_freeze("2026-12-20..2027-01-06"), read_freeze("2027-05-01")),
)
ODD = replace(PLAIN, suite='/srv/a b/50% "x" $HOME\\.yaml', folder="/srv/50%")

ANALYZE = shutil.which("systemd-analyze")
needs_systemd = pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not here")


def test_the_command_carries_window_and_freezes_and_is_quiet_outside() -> None:
    assert LIMITED.argv[7:] == [
        *("--window", "22:00-04:00"),
        *("--freeze", "2026-12-20..2027-01-06", "--freeze", "2027-05-01..2027-05-01"),
        "--outside-ok",
    ]
    assert PLAIN.argv == [
        *("/usr/bin/quorate", "gameday", "/srv/suites/core.yaml"),
        *("--cluster", "/etc/quorate/cluster.yaml", "--runs", "/var/lib/quorate/runs"),
    ]


def test_what_is_scheduled_is_understood_by_the_verb() -> None:
    from quorate.harness.verbs.gameday import gameday

    read = gameday.make_context("gameday", LIMITED.argv[2:]).params
    assert read["window"] == "22:00-04:00"
    assert read["freeze"] == ("2026-12-20..2027-01-06", "2027-05-01..2027-05-01")
    assert (read["outside_ok"], read["suite"]) == (True, "/srv/suites/core.yaml")


def words_of_unit(text: str) -> list[str]:
    """ExecStart as systemd reads it: quotes, backslashes, then specifiers and variables."""
    line = next(line for line in text.splitlines() if line.startswith("ExecStart="))
    words = shlex.split(line.removeprefix("ExecStart="), posix=True)
    return [word.replace("%%", "%").replace("$$", "$") for word in words]


@pytest.mark.parametrize("schedule", [PLAIN, LIMITED, ODD])
def test_systemd_reads_the_words_that_were_meant(schedule: Schedule) -> None:
    units = systemd_units(schedule)
    assert list(units) == ["quorate-core.service", "quorate-core.timer"]
    assert words_of_unit(units["quorate-core.service"]) == schedule.argv


@needs_systemd
@pytest.mark.parametrize("schedule", [PLAIN, LIMITED, ODD])
def test_systemd_finds_nothing_wrong(tmp_path: Path, schedule: Schedule) -> None:
    done = verified(tmp_path, replace(schedule, program=["/bin/true"]))
    assert (done.returncode, done.stderr) == (0, "")


@needs_systemd
def test_systemd_would_find_something_wrong(tmp_path: Path) -> None:
    done = verified(tmp_path, PLAIN, change=lambda text: text.replace("ExecStart=", "ExecStrat="))
    assert done.stderr != ""


def verified(
    folder: Path, schedule: Schedule, *, change: Callable[[str], str] = str
) -> subprocess.CompletedProcess[str]:
    assert ANALYZE is not None
    for name, text in systemd_units(schedule).items():
        (folder / name).write_text(change(text))
    argv = [ANALYZE, "verify", "--man=no", *map(str, sorted(folder.iterdir()))]
    return subprocess.run(argv, capture_output=True, text=True, check=False)


def test_a_unit_that_is_told_to_end_leaves_its_guardian_alone() -> None:
    service = systemd_units(PLAIN)["quorate-core.service"]
    assert "KillMode=process\n" in service
    assert "Persistent=false\n" in systemd_units(PLAIN)["quorate-core.timer"]


@pytest.mark.parametrize("schedule", [PLAIN, LIMITED, ODD])
def test_cron_reads_the_words_that_were_meant(schedule: Schedule) -> None:
    (text,) = cron_line(schedule).values()
    line = text.splitlines()[-1]
    minute, hour, *rest, user, command = line.split(" ", 6)
    assert (minute.isdigit(), hour.isdigit(), rest, user) == (True, True, ["*"] * 3, "root")
    # An unescaped % would end the command and become its standard input.
    assert "%" not in command.replace(r"\%", "")
    words = shlex.split(command.replace(r"\%", "%"))
    assert words == ["cd", schedule.folder, "&&", *schedule.argv]


def test_a_cron_job_is_one_at_a_time_and_not_tried_again() -> None:
    ((name, text),) = cronjob(replace(LIMITED, image="registry.example/quorate:1")).items()
    assert name == "quorate-core-cronjob.yaml"
    spec = yaml.safe_load(text)["spec"]
    assert (spec["schedule"], spec["timeZone"]) == ("0 22 * * *", "Etc/UTC")
    assert spec["concurrencyPolicy"] == "Forbid"
    job = spec["jobTemplate"]["spec"]
    assert job["backoffLimit"] == 0
    pod = job["template"]["spec"]
    assert pod["restartPolicy"] == "Never"
    (container,) = pod["containers"]
    assert container["command"] == LIMITED.argv
    assert {"name": "TZ", "value": "Etc/UTC"} in container["env"]
    mounts = {one["name"]: one["mountPath"] for one in container["volumeMounts"]}
    assert mounts == {"cluster": "/etc/quorate", "runs": "/var/lib/quorate"}
    assert {one["name"] for one in pod["volumes"]} == set(mounts)


def test_a_cron_job_without_an_image_is_usage() -> None:
    with pytest.raises(UsageError, match="--image"):
        cronjob(PLAIN)


@pytest.mark.parametrize(
    ("at", "window", "cron"),
    [
        ("", None, "30 2 * * *"),
        ("", "22:15-04:00", "15 22 * * *"),
        ("0 3 * * 1-5", "22:00-04:00", "0 3 * * 1-5"),
        ("*/20 * * * *", "22:00-04:00", "*/20 * * * *"),
    ],
)
def test_when_by_cron(at: str, window: str | None, cron: str) -> None:
    limits = read_window(window) if window else None
    assert replace(PLAIN, at=at, window=limits).cron == cron


@pytest.mark.parametrize(
    "at", ["02:30", "30 2 * *", "30 2 * * * root", "30 2 * * ;", "\n30 2 * * $"]
)
def test_what_is_no_cron_is_usage(at: str) -> None:
    with pytest.raises(UsageError, match="five fields of cron"):
        replace(PLAIN, at=at).cron  # noqa: B018


@pytest.mark.parametrize(("kind", "at"), [("cron", "0 12 * * *"), ("calendar", "Mon 12:00")])
def test_a_time_outside_the_window_would_never_play(kind: str, at: str) -> None:
    schedule = replace(LIMITED, at=at)
    with pytest.raises(UsageError, match="lies outside --window 22:00-04:00"):
        getattr(schedule, kind)


@pytest.mark.parametrize("at", ["Mon 23:00", "03:59:59", "12:00 Asia/Tokyo", "daily"])
def test_a_time_within_the_window_or_unknown_is_taken(at: str) -> None:
    assert replace(LIMITED, at=at).calendar == at


@pytest.mark.parametrize(
    ("name", "unit"),
    [("core", "quorate-core"), ("Our Promise!", "quorate-our-promise"), ("…", "quorate-gameday")],
)
def test_the_unit_has_a_name_that_all_take(name: str, unit: str) -> None:
    assert replace(PLAIN, name=name).unit == unit


def test_a_line_break_in_a_path_is_refused() -> None:
    with pytest.raises(UsageError, match="control characters"):
        systemd_units(replace(PLAIN, suite="/srv/x\nExecStartPre=/bin/y"))


# --- the verb


@pytest.fixture
def place(tmp_path: Path, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "a.yaml").touch()
    (tmp_path / "ours.yaml").write_text(
        "format: 1\ntitle: Ours\nexperiments: [{file: a.yaml, expect: MET}]\n"
    )
    write_cluster(cluster, tmp_path / "cluster.yaml")
    monkeypatch.setenv("QUORATE_CLUSTER", str(tmp_path / "cluster.yaml"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def scheduled(*arguments: str) -> int:
    with pytest.raises(SystemExit) as end:
        cli.main(["schedule", *arguments])
    assert isinstance(end.value.code, int)
    return end.value.code


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        (["--as", "systemd"], ["quorate-ours.service", "quorate-ours.timer"]),
        (["--as", "cron"], ["quorate-ours.cron"]),
        (["--as", "cronjob", "--image", "x"], ["quorate-ours-cronjob.yaml"]),
    ],
)
def test_it_says_what_it_wrote_and_overwrites_nothing(
    place: Path, capfd: pytest.CaptureFixture[str], kind: list[str], names: list[str]
) -> None:
    assert scheduled("ours.yaml", *kind, "-o", "out") == 0
    said = capfd.readouterr().out
    assert [f"wrote out/{name}" for name in names] == said.splitlines()[: len(names)]
    assert "install: " in said
    assert sorted(one.name for one in (place / "out").iterdir()) == sorted(names)
    before = {one: one.read_text() for one in (place / "out").iterdir()}
    assert scheduled("ours.yaml", *kind, "--window", "22:00-04:00", "-o", "out") == 2
    assert "is there already; nothing was written" in capfd.readouterr().err
    assert {one: one.read_text() for one in (place / "out").iterdir()} == before


def test_paths_are_whole_whoever_starts_it(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert scheduled("ours.yaml", "--as", "systemd", "--json") == 0
    said = json.loads(capfd.readouterr().out)
    argv = said["command"]
    suite, cluster, runs = (
        argv[argv.index(word) + 1] for word in ("gameday", "--cluster", "--runs")
    )
    assert (suite, cluster) == (str(place / "ours.yaml"), str(place / "cluster.yaml"))
    assert runs == str(place / "runs")
    assert said["at"] == "*-*-* 02:30:00"


@pytest.mark.parametrize(
    "arguments",
    [
        ("no-such-suite", "--as", "cron"),
        ("ours.yaml",),
        ("ours.yaml", "--as", "windows"),
        ("ours.yaml", "--as", "cron", "--at", "now"),
        ("ours.yaml", "--as", "cron", "--freeze", "never"),
        ("ours.yaml", "--as", "cronjob"),
        pytest.param(("ours.yaml", "--as", "systemd", "--at", "never"), marks=needs_systemd),
    ],
)
def test_mistakes_are_usage_and_write_nothing(place: Path, arguments: tuple[str, ...]) -> None:
    assert scheduled(*arguments, "-o", "out") == 2
    assert not (place / "out").exists()
