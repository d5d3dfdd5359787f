"""Check quorate's longest outage against the Go observer's, run after run; a table grows.

    python -m tests.observer.compare --runs 10

Each round starts the observer in the network namespace that clients of the lab live in, plays the
experiment with `quorate run`, stops the observer, and appends a row to the table. Only finished
rounds are rows, so the command may be stopped and started at will; it goes on until the table has
`--runs` rows for this version, machine and experiment. Exit code 0 when every one of them agrees.

The observer gets an address, a certificate and a path, and nothing else of ours. Both sides judge
alike (deadline 1 s; from the due time of the first bad request to the due time of the first of
three consecutive good ones) and at the same 20 Hz, where two right measurements of one outage count
the same number of periods or one more: at most 0.05 s apart, so 0.1 s leaves room for requests that
one of them had under way at an edge.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import yaml

import quorate
from tests.evidence import EVIDENCE, Row, commit, machine, row_appended, rows_read, today

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
READ = "/api/v1/namespaces/kube-system/configmaps/kubeadm-config"  # a quorum read
RATE_HZ = 20  # not more: what is asked twice as often is also busy twice as long on recovery
DEADLINE_S = 1.0
LIMIT_S = 0.1
LONGEST_ROUND_S = 900  # the observer ends by itself after this, even if nobody is left to end it


@dataclass(frozen=True)
class Round(Row):
    """One round as the table has it; every field is text."""

    date: str
    version: str
    commit: str
    machine: str
    experiment: str
    run: str
    exit_code: str
    quorate_s: str
    observer_s: str
    apart_s: str
    agrees: str
    predicted_s: str
    inside: str
    led_etcd: str
    last: str

    def series(self) -> tuple[str, str, str]:
        """What rows must share to be counted together."""
        return (self.version, self.machine, self.experiment)


@dataclass(frozen=True)
class Target:
    """Where the observer looks: everything that it is told."""

    url: str
    namespace: str | None  # path of a network namespace; None for a cluster in reach of this host
    ca: bytes
    certificate: bytes
    key: bytes


def target_read(cluster_file: Path) -> Target:
    """Address and credentials out of cluster.yaml and its kubeconfig.

    Raises:
        KeyError: the kubeconfig holds no inline certificates.
    """
    cluster = yaml.safe_load(cluster_file.read_text())
    kubeconfig = yaml.safe_load((cluster_file.parent / cluster["kubeconfig"]).read_text())
    server, user = kubeconfig["clusters"][0]["cluster"], kubeconfig["users"][0]["user"]
    return Target(
        url=server["server"].rstrip("/") + READ,
        namespace=cluster.get("network_namespace"),
        ca=base64.b64decode(server["certificate-authority-data"]),
        certificate=base64.b64decode(user["client-certificate-data"]),
        key=base64.b64decode(user["client-key-data"]),
    )


def observer_argv(binary: Path, target: Target, folder: Path) -> list[str]:
    """The observer's command line; writes the PEM files that it names into `folder`."""
    pems = {"ca": target.ca, "cert": target.certificate, "key": target.key}
    argv = ["nsenter", f"--net={target.namespace}"] if target.namespace else []
    argv += [str(binary), "-url", target.url, "-rate", str(RATE_HZ)]
    argv += ["-deadline", f"{DEADLINE_S}s", "-for", f"{LONGEST_ROUND_S}s"]
    for name, content in pems.items():
        path = folder / f"{name}.pem"
        path.touch(mode=0o600)
        path.write_bytes(content)
        argv += [f"-{name}", str(path)]
    return argv


@contextlib.contextmanager
def observing(argv: Sequence[str]) -> Iterator[subprocess.Popen[str]]:
    """The observer from its first good answer on; ended on the way out, whatever happened."""
    pipe = subprocess.PIPE
    # In a session of its own: a Ctrl-C at the terminal is for quorate, which has undos to settle.
    with subprocess.Popen(
        argv, stdout=pipe, stderr=pipe, text=True, start_new_session=True
    ) as process:
        try:
            assert process.stderr is not None
            _wait_ready(process.stderr, timeout_s=20)
            yield process
        finally:
            process.kill()


def _wait_ready(notes: IO[str], *, timeout_s: float) -> None:
    readable, _, _ = select.select([notes], [], [], timeout_s)
    line = notes.readline().strip() if readable else f"no good answer within {timeout_s:.0f} s"
    if line != "ready":
        raise SystemExit(f"observer: {line}")


def ended(process: subprocess.Popen[Any]) -> int:
    """Exit code of a child that is given all the time it needs, also after Ctrl-C (it undoes)."""
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            print("interrupted; waiting for quorate to undo what it did", file=sys.stderr)


def outage_of(verdict: dict[str, Any]) -> float:
    """The longest outage in seconds, during the fault, as verdict.json has it.

    Raises:
        SystemExit: there is no such objective, or it has no value.
    """
    for found in verdict["objectives"]:
        asked = (found["indicator"], found["during"]) == ("longest_outage_s", "fault")
        if asked and not found.get("guard") and found["value"] is not None:
            return float(found["value"])
    raise SystemExit("verdict.json: no value for longest_outage_s during the fault")


def compare(options: argparse.Namespace, target: Target, binary: Path) -> Round:
    """One round: observer on, experiment, observer off, both numbers side by side."""
    before = set(options.runs_in.glob("*"))
    with tempfile.TemporaryDirectory() as folder:
        argv = observer_argv(binary, target, Path(folder))
        with observing(argv) as observer:
            play = [sys.executable, "-m", "quorate", "run", str(options.experiment)]
            play += ["--cluster", str(options.cluster), "--runs", str(options.runs_in)]
            exit_code = ended(subprocess.Popen(play))
            observer.send_signal(signal.SIGTERM)
            out, notes = observer.communicate(timeout=20)
    if not out:
        raise SystemExit(f"observer: ended without a report: {notes}")
    seen = json.loads(out)
    made = sorted(set(options.runs_in.glob("*")) - before)
    if len(made) != 1:
        raise SystemExit(f"expected one new run under {options.runs_in}, found {len(made)}")
    if not (made[0] / "verdict.json").exists():
        raise SystemExit(f"{made[0]}: no verdict (exit code {exit_code})")
    verdict = json.loads((made[0] / "verdict.json").read_text())
    ours, theirs = outage_of(verdict), float(seen["longest_outage_s"])
    story = verdict.get("story", {})
    predicted = predicted_of(verdict)
    return Round(
        date=today(),
        version=quorate.__version__,
        commit=commit(),
        machine=machine(),
        experiment=options.experiment.stem,
        run=made[0].name,
        exit_code=str(exit_code),
        quorate_s=f"{ours:.3f}",
        observer_s=f"{theirs:.3f}",
        apart_s=f"{abs(ours - theirs):.3f}",
        agrees="agrees" if abs(ours - theirs) <= LIMIT_S else "DIFFERS",
        predicted_s=predicted[0],
        inside=predicted[1],
        led_etcd=str(story.get("holder_led_etcd", "-")),
        last=str(story.get("last_component_for_clients", "-")),
    )


def predicted_of(verdict: dict[str, Any]) -> tuple[str, str]:
    """The interval that the live configuration implied for the outage, and whether it held."""
    for one in verdict.get("predicted", []):
        if one["what"] == "longest_outage_s" and one["measured"] is not None:
            return f"{one['low']:.2f} to {one['high']:.2f}", "yes" if one["inside"] else "NO"
    return "-", "-"


def built(folder: Path) -> Path:
    """The observer's binary, built from the sources beside this file."""
    if shutil.which("go") is None:
        raise SystemExit(
            "the observer is built with Go, which is missing: apt-get install golang-go"
        )
    binary = folder / "observer"
    subprocess.run(["go", "build", "-o", str(binary), "."], cwd=HERE, check=True)
    return binary


def options_read(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line; the cluster defaults to $QUORATE_CLUSTER, then to the lab `quorate`."""
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    home = Path(os.environ.get("QUORATE_STATE") or Path(state) / "quorate")
    lab = os.environ.get("QUORATE_CLUSTER") or home / "labs" / "quorate" / "cluster.yaml"
    default = ROOT / "experiments" / "vip_drop_holder.yaml"
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=10, help="rows that the table shall have")
    parser.add_argument("--experiment", type=Path, default=default)
    parser.add_argument("--cluster", type=Path, default=Path(lab), help="cluster.yaml")
    parser.add_argument("--runs-in", type=Path, default=ROOT / "runs", help="run directories")
    parser.add_argument("--table", type=Path, default=EVIDENCE / "observer.md")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Play rounds until the table has them all; 0 when all agree, 1 when one differs."""
    options = options_read(argv)
    target = target_read(options.cluster)
    options.runs_in.mkdir(parents=True, exist_ok=True)
    series = (quorate.__version__, machine(), options.experiment.stem)
    with tempfile.TemporaryDirectory() as folder:
        binary = built(Path(folder))
        while True:
            rows = [row for row in rows_read(options.table, Round) if row.series() == series]
            if len(rows) >= options.runs:
                break
            started = time.monotonic()
            row = compare(options, target, binary)
            row_appended(options.table, row)
            took_s = time.monotonic() - started
            print(
                f"{len(rows) + 1}/{options.runs} ({took_s:.0f} s) {row.line()}", end="", flush=True
            )
    differing = [row for row in rows if row.agrees != "agrees"]
    print(f"{len(rows)} rows, {len(differing)} of them differ: {options.table}")
    return 1 if differing else 0


if __name__ == "__main__":
    raise SystemExit(main())
