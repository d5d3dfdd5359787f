"""Writes to the Kubernetes API as a command of its own, so that a journal can hold them.

``python -m quorate.harness.drivers.kube_command --kubeconfig FILE --server NAME=ADDRESS… VERB …``

apply PATH JSON · patch PATH JSON · delete PATH JSON · mark PATH MARK JSON UNLESS ·
unmark PATH MARK JSON · delete-marked PATH MARK · delete-labelled LIST MARK · show PATH FIELD ·
drain NODE SECONDS · ready NAMESPACE SELECTOR NUMBER · rolled-out PATH SECONDS
Codes: 0 done (or nothing there to do), 1 the cluster said no or nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from quorate.harness.drivers import marks
from quorate.harness.drivers.clock import MonotonicClock, wait_until
from quorate.harness.drivers.drain import drain
from quorate.harness.drivers.kube import CONTROL_TIMEOUT_S, ApiServer
from quorate.harness.drivers.kube_api import KubeApi
from quorate.harness.drivers.kubeconfig import KubeCredentials
from quorate.harness.drivers.pods import is_ready
from quorate.harness.drivers.service import selected_path
from quorate.harness.errors import DriverError, QuorateError

VERBS = (
    *("apply", "patch", "delete", "mark", "unmark", "delete-marked", "delete-labelled"),
    *("show", "drain", "ready", "rolled-out"),
)


def field_of(thing: Any, field: str) -> Any:
    """`spec.replicas` of an object, `spec.containers.0` of a list; None where nothing is."""
    for step in field.split("."):
        if isinstance(thing, list) and step.isdigit() and int(step) < len(thing):
            thing = thing[int(step)]
        elif isinstance(thing, dict) and step in thing:
            thing = thing[step]
        else:
            return None
    return thing


def carry_out(api: KubeApi, verb: str, words: Sequence[str]) -> str:
    """One verb; what is to be printed. DriverError when the cluster said no or nothing."""
    match verb, list(words):
        case "apply", [path, body]:
            api.apply(path, json.loads(body))
        case "patch", [path, body]:
            if api.patch(path, json.loads(body)) is None:
                return "gone"
        case "delete", [path, body]:
            if not api.delete(path, body=json.loads(body)):
                return "gone"
        case "mark", [path, mark, body, unless]:
            return marks.put(api, path, json.loads(body), mark=mark, unless=json.loads(unless))
        case "unmark", [path, mark, body]:
            return marks.take_off(api, path, json.loads(body), mark=mark)
        case "delete-marked", [path, mark]:
            return marks.delete(api, path, mark=mark)
        case "delete-labelled", [path, mark]:
            return marks.delete_labelled(api, path, mark=mark)
        case "show", [path, field]:
            thing = api.get(path)
            return "gone" if thing is None else json.dumps(field_of(thing, field))
        case "drain", [node, seconds]:
            return _drain(api, node, deadline_s=float(seconds))
        case "ready", [namespace, selector, number]:
            pods = api.items(selected_path(namespace, selector))
            ready = sum(is_ready(pod) for pod in pods)
            return "ready" if ready >= int(number) else f"{ready} of {number}"
        case "rolled-out", [path, seconds]:
            return _rolled_out(api, path, deadline_s=float(seconds))
        case _:
            raise SystemExit(f"{verb}: not with {len(words)} word(s)")
    return "done"


def _drain(api: KubeApi, node: str, *, deadline_s: float) -> str:
    """Evicts; ends early when the harness that started it has died."""
    parent = os.getppid()
    result = drain(
        api,
        node=node,
        deadline_s=deadline_s,
        clock=MonotonicClock(),
        keep_on=lambda: os.getppid() == parent,
    )
    return json.dumps(asdict(result))


def missing_in(deployment: Any) -> str:
    """What a Deployment's status still lacks of what is declared; empty when nothing."""
    status, replicas = deployment.get("status") or {}, deployment["spec"]["replicas"]
    if status.get("observedGeneration") != deployment["metadata"]["generation"]:
        return "its controller has not seen the change"
    counts = {key: status.get(key, 0) for key in ("replicas", "updatedReplicas", "readyReplicas")}
    wrong = [f"{key} {count} of {replicas}" for key, count in counts.items() if count != replicas]
    return ", ".join(wrong)


def _rolled_out(api: KubeApi, path: str, *, deadline_s: float) -> str:
    clock, missing = MonotonicClock(), ""

    def done() -> bool:
        nonlocal missing
        found = api.get(path)
        missing = "there is no such Deployment" if found is None else missing_in(found)
        return not missing

    if not wait_until(clock, done, timeout_s=deadline_s, period_s=0.25):
        raise DriverError(f"{path}: not rolled out within {deadline_s:g} s: {missing}")
    return "done"


class Server(NamedTuple):
    """An API server as it is named on the command line."""

    name: str
    address: str


def main() -> int:
    """Carry one verb out; the exit code."""
    parser = argparse.ArgumentParser(prog="quorate-kube")
    parser.add_argument("--kubeconfig", type=Path, required=True)
    parser.add_argument("--server", action="append", required=True)
    parser.add_argument("verb", choices=VERBS)
    parser.add_argument("words", nargs="*")
    given = parser.parse_args()
    try:
        credentials = KubeCredentials.read(given.kubeconfig)
        tls, headers = credentials.ssl_context(), credentials.headers
        nodes = [
            Server(name, address)
            for name, _, address in (server.partition("=") for server in given.server)
        ]
        api = KubeApi(
            lambda: [
                ApiServer(node, tls=tls, timeout_s=CONTROL_TIMEOUT_S, headers=headers)
                for node in nodes
            ]
        )
        print(carry_out(api, given.verb, given.words))
    except QuorateError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
