"""What `quorate schedule` writes: units, a manifest, a line for schedulers that people have; pure.

The command that is scheduled looks at window and freezes itself, and holds a lock of its own: a
scheduler only starts it.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import time
from pathlib import PurePosixPath
from typing import Any

import yaml

from quorate.harness.errors import UsageError
from quorate.harness.run.window import Freeze, Window

AT = time(2, 30)
"""When it begins where neither a time nor a window is given."""

STOP_S = 900
"""How long it may take to undo what is on when it is told to end: durations.CLOSE_S, and the undos
of a machine that boots meanwhile."""

ENVIRONMENT_FILE = "/etc/quorate/gameday.env"
SECRET, CLAIM = "quorate-cluster", "quorate-runs"

_CRON_FIELD = re.compile(r"[0-9A-Za-z*/,-]+")
_CLOCK = re.compile(r"(?:^|\s)(\d\d):(\d\d)(?::\d\d)?$")
"""In the machine's own time zone: another one is named after it."""


@dataclass(frozen=True)
class Schedule:
    """A game-day that is to be played again and again.

    ``program``: the command as argv, up to `gameday`. ``at``: when, in the scheduler's own words,
    "" for the window's start. ``suite``, ``cluster``, ``runs`` and ``folder`` (where it is started)
    are paths on that machine. ``image`` and ``timezone`` are for a CronJob alone.
    """

    name: str
    program: Sequence[str]
    suite: str
    cluster: str
    runs: str
    folder: str
    at: str = ""
    window: Window | None = None
    freezes: Sequence[Freeze] = ()
    image: str = ""
    timezone: str = "Etc/UTC"

    @property
    def argv(self) -> list[str]:
        """The whole command. In a freeze it ends well: a scheduler needs no alarm for that."""
        limits = ["--window", str(self.window)] if self.window else []
        limits += [word for freeze in self.freezes for word in ("--freeze", str(freeze))]
        quiet = ["--outside-ok"] if limits else []
        where = ["--cluster", self.cluster, "--runs", self.runs]
        return [*self.program, "gameday", self.suite, *where, *limits, *quiet]

    @property
    def unit(self) -> str:
        """A name that every scheduler takes."""
        plain = re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")
        return f"quorate-{plain or 'gameday'}"[:50]

    @property
    def cron(self) -> str:
        """When, as five fields of cron. UsageError."""
        start = self._start
        at = self.at or f"{start.minute} {start.hour} * * *"
        fields = at.split()
        if len(fields) != 5 or not all(map(_CRON_FIELD.fullmatch, fields)):
            raise UsageError(
                f"--at: found {at!r}, allowed: five fields of cron, like '30 2 * * 1-5'"
            )
        if fields[0].isdigit() and fields[1].isdigit():
            self._demand_within(int(fields[1]), int(fields[0]), at=at)
        return at

    @property
    def calendar(self) -> str:
        """When, as systemd's OnCalendar. UsageError."""
        start = self._start
        at = self.at or f"*-*-* {start:%H:%M}:00"
        if not at.isprintable() or "%" in at:
            raise UsageError(f"--at: found {at!r}, allowed: see systemd.time(7), like 'Mon 02:30'")
        if match := _CLOCK.search(at):
            self._demand_within(int(match[1]), int(match[2]), at=at)
        return at

    @property
    def _start(self) -> time:
        return self.window.start if self.window else AT

    def _demand_within(self, hour: int, minute: int, *, at: str) -> None:
        """UsageError for a time at which it would never begin."""
        if self.window is None or hour > 23 or minute > 59:
            return
        if not self.window.holds_time(time(hour, minute)):
            raise UsageError(f"--at: found {at!r}, which lies outside --window {self.window}")


def systemd_units(schedule: Schedule) -> dict[str, str]:
    """File name → text of a service and its timer."""
    command = " ".join(map(_systemd_word, schedule.argv))
    service = f"""\
# Written by `quorate schedule`. One game-day at a time: quorate holds a lock, and so does the unit.
[Unit]
Description=quorate game-day {_systemd_text(schedule.name)}
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
WorkingDirectory={_systemd_text(schedule.folder)}
# QUORATE_WEBHOOK=https://… belongs there (mode 0600), and not into this file.
EnvironmentFile=-{ENVIRONMENT_FILE}
ExecStart={command}
TimeoutStartSec=infinity
# Told to end, it undoes what is on first. Its guardian, which would do that in its place, must
# outlive it, so nothing else of this unit is killed.
TimeoutStopSec={STOP_S}
KillMode=process
"""
    timer = f"""\
[Unit]
Description=When quorate plays the game-day {_systemd_text(schedule.name)}

[Timer]
OnCalendar={schedule.calendar}
AccuracySec=1min
# What was slept through is not made up for at an hour that nobody chose.
Persistent=false

[Install]
WantedBy=timers.target
"""
    return {f"{schedule.unit}.service": service, f"{schedule.unit}.timer": timer}


def cron_line(schedule: Schedule) -> dict[str, str]:
    """File name → text for /etc/cron.d, where a line names its user and a % is a newline."""
    line = shlex.join(schedule.argv).replace("%", r"\%")
    folder = shlex.quote(schedule.folder).replace("%", r"\%")
    text = f"""\
# Written by `quorate schedule`. One game-day at a time: quorate holds a lock, a second one ends.
# QUORATE_WEBHOOK=https://… may stand here; then this file is mode 0600.
{schedule.cron} root cd {folder} && {line}
"""
    return {f"{schedule.unit}.cron": text}


def cronjob(schedule: Schedule) -> dict[str, str]:
    """File name → a manifest. UsageError without an image."""
    if not schedule.image:
        raise UsageError("--image: a CronJob needs one, with quorate and the experiments in it")
    head = f"""\
# Written by `quorate schedule`. Not for the cluster that it breaks: its pod may be on what goes.
# The Secret {SECRET} holds cluster.yaml with its ssh key and kubeconfig (and `webhook`, if there is
# one); the claim {CLAIM} keeps the runs and what is to be undone.
"""
    text = yaml.safe_dump(_manifest(schedule), sort_keys=False, allow_unicode=True)
    return {f"{schedule.unit}-cronjob.yaml": head + text}


def _manifest(schedule: Schedule) -> Mapping[str, Any]:
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": schedule.unit},
        "spec": {
            "schedule": schedule.cron,
            "timeZone": schedule.timezone,
            "concurrencyPolicy": "Forbid",
            "startingDeadlineSeconds": 600,
            "successfulJobsHistoryLimit": 7,
            "failedJobsHistoryLimit": 7,
            "jobTemplate": {"spec": {"backoffLimit": 0, "template": {"spec": _pod(schedule)}}},
        },
    }


def _pod(schedule: Schedule) -> Mapping[str, Any]:
    state = str(PurePosixPath(schedule.runs).parent)
    webhook = {"name": SECRET, "key": "webhook", "optional": True}
    container = {
        "name": "gameday",
        "image": schedule.image,
        "workingDir": schedule.folder,
        "command": schedule.argv,
        "env": [
            {"name": "TZ", "value": schedule.timezone},
            {"name": "QUORATE_STATE", "value": f"{state}/state"},
            {"name": "QUORATE_WEBHOOK", "valueFrom": {"secretKeyRef": webhook}},
        ],
        "volumeMounts": [
            {"name": "cluster", "mountPath": str(PurePosixPath(schedule.cluster).parent)},
            {"name": "runs", "mountPath": state},
        ],
    }
    return {
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": STOP_S,
        "containers": [container],
        "volumes": [
            {"name": "cluster", "secret": {"secretName": SECRET, "defaultMode": 0o400}},
            {"name": "runs", "persistentVolumeClaim": {"claimName": CLAIM}},
        ],
    }


def _systemd_text(text: str) -> str:
    """A value without specifiers (systemd.unit(5)). UsageError where it holds what no unit can."""
    if not text.isprintable():
        raise UsageError(f"found {text!r}, allowed: a path or a name without control characters")
    return text.replace("%", "%%")


def _systemd_word(word: str) -> str:
    """One word of ExecStart (systemd.service(5), command lines)."""
    text = _systemd_text(word).replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$")
    return text if re.fullmatch(r"[^\s\"';\\]+", word) else f'"{text}"'
