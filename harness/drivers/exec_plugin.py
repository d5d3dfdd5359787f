"""Credentials from a command that a kubeconfig names (client.authentication.k8s.io).

Started once for each process that needs the API, with no terminal and nothing on stdin. What it
says on stdout is a secret and never shown; what it says on stderr is.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from quorate.harness.errors import STDERR_TAIL_CHARS, DriverError

TIMEOUT_S = 30.0
"""A plugin that asks a service far away answers in seconds; one that waits for a person, never."""

VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")


@dataclass(frozen=True)
class Given:
    """What came out. ``until``: how long it holds, where that is told."""

    certificate: bytes = field(repr=False, default=b"")
    key: bytes = field(repr=False, default=b"")
    token: str = field(repr=False, default="")
    until: datetime | None = None


def ask_plugin(spec: Mapping[str, Any], *, kubeconfig: Path) -> Given:
    """Run the plugin of a kubeconfig's user. DriverError says what it said, and never its
    stdout. KeyError or TypeError for a spec that is none."""
    # Here, since it brings pydantic with it, which nobody with other credentials needs.
    from quorate.harness.transport.child import NO_SUCH_COMMAND, run_child

    version, command = str(spec["apiVersion"]), str(spec["command"])
    named = f"{kubeconfig}: exec plugin {command}"
    if version not in VERSIONS:
        raise DriverError(f"{named}: apiVersion {version} is not taken; {', '.join(VERSIONS)} are")
    if spec.get("interactiveMode") == "Always":
        raise DriverError(f"{named} asks a person (interactiveMode: Always), and nobody is there")
    if spec.get("provideClusterInfo"):
        raise DriverError(f"{named}: provideClusterInfo is not taken")
    program = str(kubeconfig.parent / command) if "/" in command else command
    words = [program, *map(str, spec.get("args") or ())]
    done = run_child(words, timeout_s=TIMEOUT_S, env=_environment(spec, version=version))
    if done.returncode is None:
        raise DriverError(f"{named} did not end within {TIMEOUT_S:g} s{_tail(done.stderr)}")
    if done.returncode == NO_SUCH_COMMAND and "No such file" in done.stderr:
        hint = str(spec.get("installHint") or "install it, or give its whole path")
        raise DriverError(f"{named} is not on this machine: {hint.strip()}")
    if done.returncode != 0:
        raise DriverError(f"{named} ended with {done.returncode}{_tail(done.stderr)}")
    return _read(done.stdout, named=named)


def _environment(spec: Mapping[str, Any], *, version: str) -> dict[str, str]:
    info = {"apiVersion": version, "kind": "ExecCredential", "spec": {"interactive": False}}
    given = {str(one["name"]): str(one["value"]) for one in spec.get("env") or ()}
    return {**os.environ, **given, "KUBERNETES_EXEC_INFO": json.dumps(info)}


def _read(said: str, *, named: str) -> Given:
    try:
        status = json.loads(said)["status"]
        until = status.get("expirationTimestamp")
        given = Given(
            str(status.get("clientCertificateData") or "").encode(),
            str(status.get("clientKeyData") or "").encode(),
            str(status.get("token") or "").strip(),
            None if until is None else datetime.fromisoformat(str(until)),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        # `from None`: the cause's text may hold what was said.
        raise DriverError(f"{named} printed no ExecCredential with a status") from None
    if not given.token and not (given.certificate and given.key):
        raise DriverError(f"{named} gave neither a token nor a certificate with its key")
    return given


def _tail(stderr: str) -> str:
    said = stderr[-STDERR_TAIL_CHARS:].strip()
    return f": {said}" if said else " and said nothing"
