"""One run on disk: ``runs/<run-id>/``.

=================  =================================================================
run.json           who, what, when: identity, versions, the base of all times, and the bounds
                   that stand in place of the experiment's own
experiment.yaml    the experiment, verbatim
events.jsonl       what happened, one event a line, appended and never rewritten
samples/*.jsonl    what clients saw, one file a probe, written by the sampler itself
sampler.json       what the sampler was given, and what it says about itself
fingerprint.json   what the cluster ran at the start: versions, topology, configuration
verdict.json       the answer; ``quorate judge`` makes the same bytes again
=================  =================================================================

Others keep cluster.yaml, undo.jsonl, report.txt, report.html, log.txt here. The directory is 0700,
its files 0600: addresses of a cluster are nobody's business; secrets are never written here.
All times are seconds on CLOCK_MONOTONIC since ``run.json``'s ``base.monotonic_ns``.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import re
import secrets
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from quorate.harness.errors import SpecError, StoreError
from quorate.harness.model.bounds import Override
from quorate.harness.model.experiment import Experiment
from quorate.harness.model.fingerprint import Fingerprint
from quorate.harness.model.strict import checked
from quorate.harness.model.timeline import Event, Timeline
from quorate.harness.model.verdict import FORMAT as VERDICT_FORMAT
from quorate.harness.model.verdict import Verdict
from quorate.harness.store.experiment_file import parse_experiment
from quorate.harness.store.reading import read_timeline

FORMAT = 1
"""Version of the layout; a newer one is refused, never guessed at."""

_ID = re.compile(r"\d{8}T\d{6}Z-[A-Za-z0-9_.-]+-[0-9a-f]{4}")


@dataclass(frozen=True)
class ExperimentSource:
    """Where an experiment came from: its text, and its file ("" where that is not known)."""

    text: str
    file: str = ""

    @classmethod
    def read(cls, path: Path | str) -> ExperimentSource:
        """The text of a file, verbatim; OSError where it cannot be read."""
        return cls(text=Path(path).read_text(encoding="utf-8"), file=str(path))

    @classmethod
    def dump(cls, document: object, *, file: str = "") -> ExperimentSource:
        """A document that came as a mapping (``chaos``), written out; key order is kept."""
        plain = json.loads(json.dumps(document, default=str))
        return cls(yaml.safe_dump(plain, sort_keys=False, allow_unicode=True), file)

    @property
    def name(self) -> str:
        """The file's name without folder and suffix; "" where there is no file."""
        return Path(self.file).stem if self.file else ""

    @property
    def stem(self) -> str:
        """The name, fit for a run's name."""
        stem = re.sub(r"[^A-Za-z0-9_.-]+", "_", self.name)
        return stem.strip("._-")[:60] or "experiment"


class RunDirectory:
    """A run's folder; made by ``create`` or ``open``. One process writes events at a time."""

    def __init__(
        self, path: Path, *, run_id: str, base_ns: int, overrides: Sequence[Override] = ()
    ) -> None:
        self.path = path
        self.run_id = run_id
        self.base_ns = base_ns
        self._overrides = tuple(overrides)

    @classmethod
    def create(
        cls,
        root: Path,
        *,
        experiment: Experiment,
        source: ExperimentSource | str,
        cluster_name: str,
        seed: int,
    ) -> RunDirectory:
        """Makes ``root/<run-id>``; the base of all times is now.

        Args:
            source: the experiment's text and file (a plain str is the text alone).

        Raises:
            StoreError: the directory cannot be made or written.
        """
        origin = source if isinstance(source, ExperimentSource) else ExperimentSource(source)
        started = datetime.now(UTC)
        run_id = f"{started:%Y%m%dT%H%M%SZ}-{origin.stem}-{secrets.token_hex(2)}"
        run = cls(
            root.absolute() / run_id,
            run_id=run_id,
            base_ns=time.monotonic_ns(),
            overrides=experiment.overrides,
        )
        try:
            run.path.mkdir(parents=True, mode=0o700)
            (run.path / "samples").mkdir(mode=0o700)
            run.write_text("experiment.yaml", origin.text)
            run.write_json("run.json", run._identity(origin, started, cluster_name, seed))
        except OSError as error:
            raise StoreError(f"{run.path}: cannot make the run directory: {error}") from error
        run.append_event("run_opened", title=experiment.title)
        return run

    def _identity(
        self, origin: ExperimentSource, started: datetime, cluster_name: str, seed: int
    ) -> dict[str, object]:
        return {
            "format": FORMAT,
            "id": self.run_id,
            "quorate_version": version(),
            "python": platform.python_version(),
            "argv": told_argv(sys.argv),
            "cluster": cluster_name,
            "experiment_file": origin.file,
            "seed": seed,
            "base": {"monotonic_ns": self.base_ns, "wall": started.isoformat()},
            "bounds": [one.model_dump() for one in self._overrides],
            "started": started.isoformat(timespec="seconds"),
        }

    @classmethod
    def open(cls, path: Path) -> RunDirectory:
        """The run in ``path``; StoreError where it is foreign, corrupt or newer than this."""
        file, data = path / "run.json", _run_json(path)
        version = data.get("format") if isinstance(data, dict) else None
        if isinstance(version, int) and version > FORMAT:
            raise StoreError(f"{file}: format {version} is newer than this quorate's {FORMAT}")
        try:
            run_id, base_ns = data["id"], data["base"]["monotonic_ns"]
        except (KeyError, TypeError):
            run_id, base_ns = None, None
        good = isinstance(run_id, str) and _ID.fullmatch(run_id) and isinstance(base_ns, int)
        if version != FORMAT or not good:
            raise StoreError(f"{file}: is no run of quorate, or damaged (format, id or base)")
        try:
            overrides = [checked(one, model=Override) for one in data.get("bounds", [])]
        except (SpecError, TypeError) as error:
            raise StoreError(f"{file}: its bounds are damaged: {error}") from None
        return cls(path.absolute(), run_id=run_id, base_ns=base_ns, overrides=overrides)

    def identity(self) -> dict[str, Any]:
        """What run.json says of the run. StoreError."""
        found = _run_json(self.path)
        return found if isinstance(found, dict) else {}

    def now(self) -> float:
        """Seconds since the base; only meaningful on the machine and boot of the run."""
        return (time.monotonic_ns() - self.base_ns) / 1e9

    def append_event(self, kind: str, /, **data: object) -> Event:
        """Appends one line to events.jsonl, stamped now, or ``t`` where that is among ``data``.

        One write to a file opened for appending: lines of threads never mix. Raises StoreError
        where it cannot be written and TypeError where ``data`` is no JSON.
        """
        stamp = data.pop("t", None)
        t = round(self.now() if stamp is None else float(stamp), 6)  # type: ignore[arg-type]
        line = json.dumps({"t": t, "kind": kind, "data": data}, ensure_ascii=False, sort_keys=True)
        try:
            handle = os.open(
                self.path / "events.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600
            )
            try:
                os.write(handle, line.encode() + b"\n")
            finally:
                os.close(handle)
        except OSError as error:
            raise StoreError(f"{self.path}/events.jsonl: cannot be written: {error}") from error
        return Event(t=t, kind=kind, data=data)

    def timeline(self) -> Timeline:
        """Everything from disk; StoreError where a line in the middle cannot be read."""
        return read_timeline(self.path, run_id=self.run_id)

    def experiment(self) -> Experiment:
        """The experiment as it was when the run began, with its bounds; SpecError or StoreError."""
        file = self.path / "experiment.yaml"
        try:
            text = file.read_text(encoding="utf-8")
        except OSError as error:
            raise StoreError(f"{file}: cannot be read: {error}") from None
        return parse_experiment(text, file=file).with_bounds(self._overrides)

    def write_json(self, name: str, value: object) -> None:
        """Writes ``name`` atomically: sorted keys, two spaces, a newline at the end."""
        self.write_text(
            name, json.dumps(value, sort_keys=True, indent=2, ensure_ascii=False) + "\n"
        )

    def amend_json(self, name: str, /, **values: object) -> None:
        """Adds keys to a file of `write_json`; StoreError where it cannot be read or written."""
        file = self.path / name
        try:
            found = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise StoreError(f"{file}: cannot be read: {error}") from error
        self.write_json(name, {**found, **values})

    def write_text(self, name: str, text: str) -> None:
        """Writes ``name`` atomically (a rename), with mode 0600; StoreError where it cannot."""
        try:
            replace_text(self.path / name, text)
        except OSError as error:
            raise StoreError(f"{self.path / name}: cannot be written: {error}") from error

    def write_verdict(self, verdict: Verdict) -> None:
        """Writes verdict.json."""
        self.write_text("verdict.json", verdict.to_json())

    def verdict(self) -> Verdict:
        """The stored verdict; StoreError where there is none, or none that can be read."""
        file = self.path / "verdict.json"
        try:
            text = file.read_text(encoding="utf-8")
        except OSError:
            raise StoreError(f"{file}: not there; `quorate judge {self.path}` makes it") from None
        except ValueError as error:
            raise StoreError(f"{file}: cannot be read: {error}") from None
        try:
            return Verdict.from_json(text)
        except ValueError as error:
            raise StoreError(f"{file}: {_what_is_wrong(text, error)}") from None

    def write_fingerprint(self, fingerprint: Fingerprint) -> None:
        """Writes fingerprint.json."""
        self.write_json("fingerprint.json", fingerprint.model_dump(mode="json"))

    def fingerprint(self) -> Fingerprint:
        """What the cluster ran; StoreError where it was not written, or cannot be read."""
        file = self.path / "fingerprint.json"
        try:
            return Fingerprint.model_validate_json(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            said = str(error).splitlines()[0]
            raise StoreError(f"{file}: cannot be read: {said}") from None

    def samples_file(self, probe: str, /) -> Path:
        """Where the sampler writes the samples of ``probe``."""
        return self.path / "samples" / f"{probe}.jsonl"


def _what_is_wrong(text: str, error: ValueError) -> str:
    """Of a verdict that cannot be read: a newer one is no damaged one."""
    try:
        found = json.loads(text)
    except ValueError:
        return f"damaged: {error}"
    version = found.get("format") if isinstance(found, dict) else None
    if isinstance(version, int) and version > VERDICT_FORMAT:
        return f"format {version} is newer than this quorate's {VERDICT_FORMAT}"
    return f"cannot be read: {error}"


def _run_json(path: Path) -> Any:
    try:
        return json.loads((path / "run.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise StoreError(f"{path}: no run directory of quorate (it has no run.json)") from None
    except (OSError, ValueError) as error:
        raise StoreError(f"{path / 'run.json'}: cannot be read: {error}") from None


def told_argv(argv: Sequence[str]) -> list[str]:
    """A command line without what is a secret in it: the URL of a webhook."""
    kept_out, told = "(kept out)", list(argv)
    for place, word in enumerate(told):
        if word.startswith("--webhook="):
            told[place] = f"--webhook={kept_out}"
        elif place and told[place - 1] == "--webhook":
            told[place] = kept_out
    return told


def replace_text(path: Path, text: str) -> None:
    """Writes a file at once (a rename), with mode 0600; OSError where it cannot."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def version() -> str:
    """quorate's own, as it is installed."""
    try:
        return importlib.metadata.version("quorate")
    except importlib.metadata.PackageNotFoundError:
        return "0+unknown"
