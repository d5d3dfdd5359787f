"""A fake cluster: real TLS servers on loopback addresses, `ssh` and the power switch as programs.

Everything of quorate is the real thing: transport, sampler, guardian, journal, judge, and the
Chaos Toolkit engine, in processes of their own.
"""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

HERE = Path(__file__).parent
FAKE = HERE / "fake"
PLAY = HERE / "play.py"
TIMEOUT_S = 150
"""Of a test that is not marked with one of its own. More than other quick tests have: a run whose
machine does not come back waits for it, and reads the ledger back by paths of which one is dead."""
MARGIN_S = 10
"""So much sooner a run that hangs is ended here, where it is asked what it was doing."""

# Chaos Toolkit differs between Python 3.11 and newer ones; noxfile.py names a newer one, if any.
NEWER = [path] if (path := os.environ.get("QUORATE_PARITY_PYTHON")) else []
UPSTREAM = [("chaos", sys.executable), *(("chaos", path) for path in NEWER)]
ENGINES = [("quorate", sys.executable), *UPSTREAM]
EVERYBODY = [*ENGINES, *(("quorate", path) for path in NEWER)]
"""For the tests that take everything in; the others leave one combination out, since there it is
the same program on the same library as `chaos` on that interpreter."""


def _names(pairs: list[tuple[str, str]]) -> list[str]:
    newer = dict.fromkeys(NEWER, " on a newer Python")
    return [engine + newer.get(python, "") for engine, python in pairs]


def played_by(pairs: list[tuple[str, str]]) -> pytest.MarkDecorator:
    """Runs a test once for each (engine, interpreter)."""
    return pytest.mark.parametrize(
        ("engine", "interpreter"), pairs, indirect=["interpreter"], ids=_names(pairs)
    )


@dataclass(frozen=True)
class Played:
    """One engine process: how it ended and what it left."""

    exit_code: int
    output: str
    runs: Path
    folder: Path

    @property
    def directory(self) -> Path:
        made = [path.parent for path in self.runs.glob("*/run.json")]
        assert len(made) == 1, f"{len(made)} runs\n{self.output}"
        return made[0]

    def text_of(self, name: str) -> str:
        return (self.directory / name).read_text()

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text_of("events.jsonl").splitlines()]

    @property
    def kinds(self) -> list[str]:
        return [event["kind"] for event in self.events]

    @property
    def verdict(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads((self.directory / "verdict.json").read_text())
        return value

    @property
    def journal(self) -> dict[str, Any]:
        """The engine's journal, of `chaos run` only."""
        value: dict[str, Any] = json.loads((self.folder / "journal.json").read_text())
        return value


@dataclass(frozen=True)
class FakeCluster:
    """A fake cluster that answers, and the environment that makes it the cluster under test."""

    world: Path
    folder: Path
    environment: dict[str, str]
    python: str
    deadline_s: float

    def is_off(self, node: str) -> bool:
        return (self.world / "off" / node).exists()

    @property
    def stopped(self) -> list[str]:
        """Nodes whose keepalived is stopped."""
        return sorted(path.name for path in (self.world / "stopped").iterdir())

    @property
    def pending(self) -> list[str]:
        folder = self.folder / "state" / "pending"
        return sorted(path.name for path in folder.glob("*")) if folder.is_dir() else []

    def start(self, engine: str, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [self.python, str(PLAY), engine, *arguments],
            cwd=self.folder,
            env=self.environment,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def finished(self, process: subprocess.Popen[str]) -> Played:
        try:
            output, _ = process.communicate(timeout=self.deadline_s)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGABRT)
            raise AssertionError(f"still running:\n{process.communicate()[0]}") from None
        return Played(process.returncode, output, self.folder / "runs", self.folder)

    def play(self, engine: str, *arguments: str) -> Played:
        return self.finished(self.start(engine, *arguments))

    def until(self, kind: str, process: subprocess.Popen[str]) -> None:
        """Wait until the run has an event of that kind."""
        deadline = time.monotonic() + self.deadline_s
        while time.monotonic() < deadline and process.poll() is None:
            for file in (self.folder / "runs").glob("*/events.jsonl"):
                if f'"{kind}"' in file.read_text():
                    return
            time.sleep(0.05)
        process.kill()
        raise AssertionError(f"no {kind}:\n{process.communicate()[0]}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(TIMEOUT_S))


@pytest.fixture
def interpreter(request: pytest.FixtureRequest) -> str:
    """The Python that plays."""
    return str(getattr(request, "param", sys.executable))


@pytest.fixture
def deadline_s(request: pytest.FixtureRequest) -> float:
    """How long a run may take here."""
    mark = request.node.get_closest_marker("timeout")
    return float(mark.args[0] if mark else TIMEOUT_S) - MARGIN_S


@pytest.fixture
def cluster(
    tmp_path: Path, interpreter: str, root: Path, deadline_s: float
) -> Iterator[FakeCluster]:
    """Three control planes, the VIP on cp1."""
    world = tmp_path / "world"
    net = f"127.{20 + os.getpid() % 200}.{time.monotonic_ns() // 1000 % 250}"
    nodes = {f"cp{n}": f"{net}.{10 + n}" for n in (1, 2, 3)}
    _create(world, nodes, f"{net}.100")
    _certificate(world, [*nodes.values(), f"{net}.100"])
    _describe(world, nodes, f"{net}.100")
    environment = _environment(tmp_path, root=root)
    made = FakeCluster(world, tmp_path, environment, interpreter, deadline_s)
    with subprocess.Popen([sys.executable, str(FAKE / "servers.py"), str(world)]) as servers:
        deadline = time.monotonic() + 10
        while not (world / "ready").exists():
            assert time.monotonic() < deadline
            assert servers.poll() is None
            time.sleep(0.02)
        try:
            yield made
        finally:
            servers.kill()


@pytest.fixture
def experiment(root: Path, tmp_path: Path) -> Callable[..., str]:
    """A shipped experiment at a quicker pace, and with something changed; its path."""

    def make(name: str, change: Callable[[dict[str, Any]], object] = lambda document: None) -> str:
        document = yaml.safe_load((root / "experiments" / f"{name}.yaml").read_text())
        ours = document["extensions"][0]
        ours["baseline_s"] = 2.2  # one late sample of a probe is under 1 %
        for probe in ours["probes"].values():
            probe["rate_hz"] = 50
        for step in document["method"]:
            arguments = step["provider"]["arguments"]
            if "for_s" in arguments:
                arguments["for_s"] = 2
            if step["provider"]["func"] == "node_power_off":
                arguments["at_most_s"] = 8
        change(document)
        path = tmp_path / f"{Path(name).name}.yaml"
        path.write_text(yaml.safe_dump(document, sort_keys=False))
        return str(path)

    return make


def _create(world: Path, nodes: dict[str, str], vip: str) -> None:
    import importlib.util

    spec = importlib.util.spec_from_file_location("fake_world", FAKE / "world.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.World.create(world, nodes=nodes, vip=vip)


def _certificate(world: Path, addresses: list[str]) -> None:
    """One certificate that signs itself: CA, server and client at once."""
    names = ",".join(f"IP:{address}" for address in addresses)
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt"),
            *("ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=fake"),
            *("-addext", f"subjectAltName={names}"),
            *("-keyout", str(world / "key.pem"), "-out", str(world / "crt.pem")),
        ],
        check=True,
        capture_output=True,
    )


def _describe(world: Path, nodes: dict[str, str], vip: str) -> None:
    user = {"client-certificate": "crt.pem", "client-key": "key.pem"}
    seen = {"certificate-authority": "crt.pem", "server": f"https://{vip}:8443"}
    kubeconfig = {
        "current-context": "fake",
        "contexts": [{"name": "fake", "context": {"cluster": "fake", "user": "admin"}}],
        "clusters": [{"name": "fake", "cluster": seen}],
        "users": [{"name": "admin", "user": user}],
    }
    (world / "kubeconfig").write_text(yaml.safe_dump(kubeconfig))
    roles = ["control-plane", "etcd", "load-balancer"]
    switch = [sys.executable, str(FAKE / "power.py"), str(world), "{action}", "{node}"]
    described = {
        "format": 1,
        "name": "fake",
        "kubeconfig": "kubeconfig",
        "virtual_ip": {"address": vip, "port": 8443},
        "nodes": [{"name": n, "address": a, "roles": roles} for n, a in nodes.items()],
        "power": {"command": switch},
    }
    (world / "cluster.yaml").write_text(yaml.safe_dump(described, sort_keys=False))


def _environment(folder: Path, *, root: Path) -> dict[str, str]:
    programs = folder / "bin"
    programs.mkdir()
    ssh = programs / "ssh"
    ssh.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S "{FAKE / "ssh.py"}" "$@"\n')
    ssh.chmod(ssh.stat().st_mode | stat.S_IXUSR)
    return {
        **os.environ,
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(root / "src"),
        "QUORATE_STATE": str(folder / "state"),
        "QUORATE_RUNS": str(folder / "runs"),
        "QUORATE_CLUSTER": str(folder / "world" / "cluster.yaml"),
        "QUORATE_FAKE_WORLD": str(folder / "world"),
    }
