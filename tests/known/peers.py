"""The same outages, measured by quorate and by other tools at the same time; a row for each kind.

The tools are the published ones, in an environment of their own (`.nox/peers`), unmodified:

- Chaos Toolkit (`ctk`) with its hypothesis strategy `continuously` and its HTTP provider, once a
  second (its default) and every 0.05 s. It has no timeout of its own; it gets one of 1 s, quorate's
  deadline. It computes no length; the one given here is what can be computed from its journal: from
  the start of the first bad sample to the start of the next good one, the longest such time.
- krkn's HTTP health check, every 2 s (its default) and every 0.05 s. krkn is not on the package
  index, only its library is: $QUORATE_KRKN names a checkout, else it is cloned; where neither is to
  be had, its columns say so.

Others were looked at and left out: PowerfulSeal's HTTP probe is one step of a scenario and is not
asked while a fault lasts; Litmus, Chaos Mesh and OpenShift's sampler need a cluster.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.metadata
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.evidence import ROOT, Stamped, stamp
from tests.known import certificates
from tests.known.answers import Answer, judged, sampled
from tests.known.switch import MODES, Outage, Switch

HOME = ROOT / ".nox" / "peers"
KRKN = "https://github.com/krkn-chaos/krkn"
KRKN_COMMIT = "673897815fdd1f4d0f623b66ac4069ffc34ec3c9"  # 2026-08-20
KRKN_LIB = "6.1.4"
"""What krkn's requirements name at that commit."""

LENGTHS_S = (0.3, 1.0, 3.0, 10.0, 30.0)
REPEATS = 3
LEAD_S = 4.0
"""Before and after the outage: the slowest tool asks every 2 s, and Chaos Toolkit has to start.
Where that was not enough, on a busy machine, the outage is made again with twice as much."""
TRIES = 3

PYTHON = HOME / "bin" / "python"


@dataclass(frozen=True)
class Compared(Stamped):
    """One mode and length; each tool's words about it."""

    outage: str
    repeats: str
    quorate: str
    ctk_every_1_s: str
    ctk_every_50_ms: str
    krkn_every_2_s: str
    krkn_every_50_ms: str
    versions: str

    @property
    def name(self) -> str:
        return self.outage

    @property
    def ok(self) -> bool:
        """A row speaks for or against others; it is there, and that is all."""
        return True


@dataclass(frozen=True)
class Word:
    """What a tool said about one outage: a length in seconds, and how it ended."""

    length_s: float
    exit_code: int
    samples: str = ""


CELLS = {f"{mode} {length_s:g} s": (mode, length_s) for length_s in LENGTHS_S for mode in MODES}


class NotBegun(AssertionError):
    """A tool had not begun to ask when the outage came, so it could not measure it."""


def compared(number: int, name: str) -> list[Compared]:
    """One cell of the table, as often as REPEATS."""
    made()
    mode, length_s = CELLS[name]
    with tempfile.TemporaryDirectory() as folder:
        pki = certificates.written(Path(folder))
        each = [patiently(Outage(mode, length_s), pki) for _ in range(REPEATS)]
    answers = [answer for answer, _ in each]
    words = {tool: [said[tool] for _, said in each] for tool in each[0][1]}
    error_s = [answer.error_s for answer in answers]
    return [
        Compared(
            **stamp(),
            outage=name,
            repeats=str(len(each)),
            quorate=f"{_spread([a.value for a in answers])}; error {_spread(error_s)}",
            ctk_every_1_s=_told(words.get("chaos 1", [])),
            ctk_every_50_ms=_told(words.get("chaos 0.05", [])),
            krkn_every_2_s=_told(words.get("krkn 2", [])),
            krkn_every_50_ms=_told(words.get("krkn 0.05", [])),
            versions=versions(),
        )
    ]


def patiently(outage: Outage, pki: Path) -> tuple[Answer, dict[str, Word]]:
    """One outage that everybody had begun to ask before."""
    for attempt in range(TRIES - 1):
        with contextlib.suppress(NotBegun):
            return once(outage, pki, lead_s=LEAD_S * 2**attempt)
    return once(outage, pki, lead_s=LEAD_S * 2 ** (TRIES - 1))


def once(outage: Outage, pki: Path, *, lead_s: float) -> tuple[Answer, dict[str, Word]]:
    """One outage; everybody asks the same server. NotBegun where not everybody did in time."""
    seconds = outage.length_s + 2 * lead_s
    with contextlib.ExitStack() as stack:
        switch = stack.enter_context(Switch(pki))
        run = stack.enter_context(sampled(switch, runs=pki / "runs"))
        asking = {
            tool: stack.enter_context(started(switch, argv, pki))
            for tool, argv in command_lines(switch, pki, seconds)
        }
        time.sleep(lead_s)
        truth = switch.outage(outage)
        said = {tool: process.communicate()[0] for tool, process in asking.items()}
    answer = judged(run.timeline(), truth, base_s=run.base_ns / 1e9)
    words = {}
    for tool in asking:
        if tool.startswith("krkn"):
            words[tool] = of_krkn(said[tool])
        else:
            words[tool] = of_journal(journal(pki, tool), exit_code=asking[tool].returncode)
    return answer, words


def command_lines(switch: Switch, pki: Path, seconds: float) -> Iterator[tuple[str, list[str]]]:
    """Each tool's name and how it is started."""
    url = f"https://127.0.0.1:{switch.port}/"
    for frequency in ("1", "0.05"):
        tool = f"chaos {frequency}"
        file = pki / f"{tool}.json"
        file.write_text(json.dumps(experiment(url, seconds)))
        argv = [str(HOME / "bin" / "chaos"), "--no-version-check", "run", str(file)]
        argv += ["--hypothesis-strategy", "continuously", "--hypothesis-frequency", frequency]
        yield tool, [*argv, "--journal-path", str(journal(pki, tool))]
    if (checkout := krkn()) is None:
        return
    for interval in ("2", "0.05"):
        program = str(Path(__file__).with_name("krkn_check.py"))
        yield f"krkn {interval}", [str(PYTHON), program, str(checkout), url, interval, str(seconds)]


def journal(pki: Path, tool: str) -> Path:
    """Where Chaos Toolkit writes what it saw."""
    return pki / f"{tool}.journal.json"


@contextlib.contextmanager
def started(switch: Switch, argv: list[str], pki: Path) -> Iterator[subprocess.Popen[str]]:
    """A tool in the server's namespace; ended if it has not ended by itself."""
    environment = os.environ | {"REQUESTS_CA_BUNDLE": str(pki / "ca.pem")}
    pipe, nothing = subprocess.PIPE, subprocess.DEVNULL
    with switch.inside():
        process = subprocess.Popen(
            argv, stdout=pipe, stderr=nothing, text=True, env=environment, cwd=pki
        )
    with process:
        try:
            yield process
        finally:
            process.kill()


def experiment(url: str, seconds: float) -> dict[str, Any]:
    """Chaos Toolkit's: the hypothesis is that the server answers, the method is to wait."""
    http = {"type": "http", "url": url, "timeout": 1}
    wait = {"type": "process", "path": "sleep", "arguments": str(seconds)}
    probe = {"type": "probe", "name": "the server answers", "tolerance": 200, "provider": http}
    return {
        "title": "The server answers",
        "description": "The server is broken from outside.",
        "steady-state-hypothesis": {"title": "It answers", "probes": [probe]},
        "method": [{"type": "action", "name": "wait", "provider": wait}],
    }


def of_krkn(said: str) -> Word:
    """What krkn's check reports: how long it was down altogether."""
    told = json.loads(said)
    return Word(sum(told["down_s"]), told["exit_code"])


def of_journal(file: Path, *, exit_code: int) -> Word:
    """The most that can be read from Chaos Toolkit's journal."""
    during = json.loads(file.read_text())["steady_states"]["during"]
    started_s = [datetime.fromisoformat(one["probes"][0]["start"]).timestamp() for one in during]
    bad = [not one["steady_state_met"] for one in during]
    if bad[:1] != [False]:
        raise NotBegun("Chaos Toolkit had not begun to ask: the machine is too busy")
    longest = since = 0.0
    for at_s, is_bad in zip(started_s, bad, strict=True):
        if is_bad:
            since = since or at_s
        elif since:
            longest, since = max(longest, at_s - since), 0.0
    return Word(longest, exit_code, f"{sum(bad)} of {len(bad)} bad")


def _told(words: Sequence[Word]) -> str:
    if not words:
        return "not to be had"
    codes = "/".join(sorted({str(one.exit_code) for one in words}))
    samples = "; ".join(sorted({one.samples for one in words if one.samples}))
    told = f"{_spread([one.length_s for one in words])}; exit {codes}"
    return f"{told} ({samples})" if samples else told


def _spread(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.2f} s ({min(values):.2f} to {max(values):.2f})"


# --- the peers' environment


@functools.cache
def made() -> None:
    """Chaos Toolkit as quorate has it, and krkn's library without what it needs of a cluster."""
    uv = [sys.executable, "-m", "uv"]
    names = ("chaostoolkit", "chaostoolkit-lib")
    wanted = [f"{name}=={importlib.metadata.version(name)}" for name in names]
    install = [*uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", str(PYTHON)]
    if not PYTHON.exists():
        subprocess.run([*uv, "venv", "--quiet", "--python", sys.executable, HOME], check=True)
    subprocess.run([*install, *wanted], check=True)
    subprocess.run([*install, "--no-deps", f"krkn-lib=={KRKN_LIB}"], check=True)


@functools.cache
def krkn() -> Path | None:
    """A checkout of krkn, None where it is neither named nor to be cloned."""
    if named := os.environ.get("QUORATE_KRKN"):
        return Path(named)
    checkout = HOME / "krkn"
    if not checkout.exists():
        clone = ["git", "clone", "--quiet", KRKN, str(checkout)]
        if subprocess.run(clone, check=False).returncode:
            return None
        subprocess.run(["git", "-C", str(checkout), "checkout", "-q", KRKN_COMMIT], check=True)
    return checkout


@functools.cache
def versions() -> str:
    """Of everything that is compared."""
    freeze = [sys.executable, "-m", "uv", "--quiet", "pip", "freeze", "--python", str(PYTHON)]
    lines = subprocess.run(freeze, stdout=subprocess.PIPE, text=True, check=True).stdout.split()
    ours = [one for one in lines if one.startswith(("chaostoolkit", "krkn-lib", "requests=="))]
    checkout = krkn()
    if checkout is not None:
        describe = ["git", "-C", str(checkout), "rev-parse", "--short", "HEAD"]
        commit = subprocess.run(describe, stdout=subprocess.PIPE, text=True, check=True).stdout
        ours.append(f"krkn {commit.strip()}")
    return ", ".join(ours)
