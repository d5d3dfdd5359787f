"""Starts, watches and ends the sampler's process, and keeps its word about itself."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from quorate.harness.errors import ProbeError, StoreError
from quorate.harness.model.probe_plan import ProbePlan
from quorate.harness.model.timeline import CONTROL_PROBE
from quorate.harness.sampling.configuration import session_config, shown_config
from quorate.harness.sampling.report import SamplerReport
from quorate.harness.store.run_directory import RunDirectory

START_TIMEOUT_S = 20.0
"""Python's start and the loading of certificates; a loaded machine takes seconds."""

STOP_MARGIN_S = 5.0
"""How much longer than the longest hard timeout the sampler may take to end."""

FIFO_PRIORITY = 10
"""Above ordinary processes, below whatever the machine's owner runs in real time."""

_BOOT = (
    "import sys; sys.path.insert(0, sys.argv[1]); from program.main import main; sys.exit(main())"
)


class Sampler:
    """One sampler process for all probes of a run.

    Not to be restarted: a second sampler would count its ticks anew. Use as a context manager or
    call ``stop``; when this process dies, the pipe closes and the sampler ends by itself.
    """

    def __init__(
        self,
        run: RunDirectory,
        probes: Mapping[str, ProbePlan],
        *,
        fifo_priority: int = FIFO_PRIORITY,
    ) -> None:
        """``fifo_priority``: of SCHED_FIFO, where the machine allows it; 0: do not try."""
        self._run = run
        self._probes = dict(probes)
        self._fifo_priority = fifo_priority
        self._process: subprocess.Popen[bytes] | None = None
        self._pending = b""

    def __enter__(self) -> Sampler:
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    def start(self) -> None:
        """Returns once the first tick of each probe was sent; raises ProbeError otherwise."""
        if self._process is not None:
            raise ProbeError("the sampler was started before")
        try:
            config = self._config()
            self._describe(config, report=None)
            self._process = self._spawn()
            assert self._process.stdin is not None
            self._process.stdin.write(json.dumps(config).encode() + b"\n")
            self._process.stdin.flush()
            self._await("ready")
        except OSError as error:
            self._kill()
            raise ProbeError(f"the sampler cannot be started: {error}") from error
        except BaseException:
            self._kill()
            raise
        try:
            self._await("ticking")
        except BaseException:
            self._kill()
            raise

    def alive(self) -> bool:
        """Is the process there? Says nothing about the cluster."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> SamplerReport:
        """Ends sampling; what is under way is waited for (its hard timeout at most).

        Returns what the sampler said about itself, also kept in sampler.json. A sampler that died
        or does not end in time is killed and reported with ``complete`` False; never raises for
        that, because the judge sees the missing samples.
        """
        process = self._process
        if process is None or process.stdout is None or process.stdout.closed:
            return SamplerReport(complete=False, problem="the sampler is not running")
        said: dict[str, Any] = {}
        problem = ""
        try:
            if process.stdin is not None:
                process.stdin.close()
            longest_s = max([plan.hard_timeout_s for plan in self._probes.values()], default=0.0)
            said = self._await("report", timeout_s=longest_s + STOP_MARGIN_S)["report"]
            process.wait(timeout=STOP_MARGIN_S)
        except (ProbeError, OSError, subprocess.TimeoutExpired) as error:
            problem = str(error)
        self._kill()
        report = SamplerReport.of(said, problem=problem)
        file = self._run.path / "sampler.json"
        try:
            stored = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise StoreError(f"{file}: cannot be read: {error}") from error
        self._describe(stored["config"], report=report)
        return report

    def _spawn(self) -> subprocess.Popen[bytes]:
        folder = Path(__file__).resolve().parent
        log = os.open(self._run.path / "sampler.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            return subprocess.Popen(
                [sys.executable, "-I", "-S", "-B", "-c", _BOOT, str(folder)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd="/",
                env={},
                start_new_session=True,  # a Ctrl-C in the terminal is for the harness alone
            )
        finally:
            os.close(log)

    def _config(self) -> dict[str, Any]:
        return session_config(
            self._probes,
            base_ns=self._run.base_ns,
            fifo_priority=self._fifo_priority,
            control=CONTROL_PROBE,
            output=lambda name: str(self._run.samples_file(name)),
        )

    def _describe(self, config: dict[str, Any], *, report: SamplerReport | None) -> None:
        """sampler.json: what was given (a header may hold a token: no request) and said."""
        value: dict[str, Any] = {"config": shown_config(config)}
        if report is not None:
            value |= report.to_dict()
        self._run.write_json("sampler.json", value)

    def _await(self, word: str, *, timeout_s: float = START_TIMEOUT_S) -> dict[str, Any]:
        """The sampler's next message, which must hold ``word``; ProbeError otherwise."""
        line = self._read_line(timeout_s)
        try:
            message = json.loads(line)
        except ValueError:
            message = {"error": f"it said {line!r:.200}"}
        if not isinstance(message, dict) or word not in message:
            said = message.get("error", message) if isinstance(message, dict) else message
            raise ProbeError(f"the sampler did not get to {word!r}: {said}{self._log_tail()}")
        return message

    def _read_line(self, timeout_s: float) -> bytes:
        assert self._process is not None
        assert self._process.stdout is not None
        handle = self._process.stdout.fileno()
        give_up = time.monotonic() + timeout_s
        with selectors.DefaultSelector() as selector:
            selector.register(handle, selectors.EVENT_READ)
            while b"\n" not in self._pending:
                left_s = give_up - time.monotonic()
                if left_s <= 0 or not selector.select(left_s):
                    raise ProbeError(f"the sampler said nothing for {timeout_s:g} s")
                data = os.read(handle, 65536)
                if not data:
                    raise ProbeError(f"the sampler ended by itself{self._log_tail()}")
                self._pending += data
        line, _, self._pending = self._pending.partition(b"\n")
        return line

    def _log_tail(self) -> str:
        try:
            text = (self._run.path / "sampler.log").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""
        return f" ({text.strip()[-500:]})" if text.strip() else ""

    def _kill(self) -> None:
        process = self._process
        if process is None:
            return
        if process.poll() is None:
            process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    pass  # a broken pipe: what was left in it is of no use to anybody
