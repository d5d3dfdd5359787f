"""An API server that has every object and lets everything through, and writes down what it was
asked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from quorate.harness.drivers.kube import Answer
from quorate.harness.drivers.kube_api import KubeApi
from quorate.harness.drivers.kube_command import carry_out
from quorate.harness.model.access import Access, access_of
from quorate.harness.model.marks import LABEL, annotation
from quorate.harness.model.own_commands import KUBE

MADE = {"service_deployed": {"quorate-service"}, "webhook_of_one_replica": {"quorate-webhook"}}
"""Arrangement → what is not there before it."""

STATUS = {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1}


class Anything:
    """Has every object, in a state that lets whoever asks go on; `marked`: as ours, by it."""

    def __init__(self) -> None:
        self.asked: list[Access] = []
        self.marked = ""
        self.missing: set[str] = set()
        self.node: Any = SimpleNamespace(name="cp1")

    def close(self) -> None: ...

    def get(self, path: str) -> Answer:
        return self.ask("GET", path)

    def ask(
        self, method: str, path: str, *, body: bytes | None = None, content_type: str = ""
    ) -> Answer:
        access = access_of(method, path)
        self.asked.append(access)
        if method == "PATCH" and "force=true" in path:
            self.asked.append(access._replace(verb="create"))
        if method == "GET" and access.name in self.missing:
            return Answer(404, b"{}")
        said: dict[str, Any] = self._object(access)
        if access.verb == "list":
            said = {"items": [self._object(access)]}
        return Answer(201 if method == "POST" else 200, json.dumps(said).encode())

    def _object(self, access: Access) -> dict[str, Any]:
        of_ours = {LABEL: self.marked} if self.marked else {}
        changed = {annotation(self.marked): "on"} if self.marked else {}
        return {
            "metadata": {
                "name": access.name or "one",
                "namespace": access.namespace or "shop",
                "uid": "u",
                "resourceVersion": "1",
                "generation": 1,
                "labels": of_ours,
                "annotations": changed,
                "ownerReferences": [{"kind": "ReplicaSet", "name": "one-1", "controller": True}],
            },
            "spec": {
                "replicas": 1,
                "unschedulable": True,
                "clusterIP": "10.96.0.1",
                "ports": [{"port": 443}],
                "selector": {},
                "containers": [{}],
                "holderIdentity": "cp1_1",
                "nodeName": "w1",
            },
            "status": {
                **STATUS,
                "allowed": False,
                "conditions": [{"type": "Ready", "status": "True"}],
                "podIP": "10.0.0.1",
                "phase": "Running",
                "nodeInfo": {"kubeletVersion": "v1", "containerRuntimeVersion": "c"},
            },
            "gitVersion": "v1",
        }


class Clock:
    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


def carried_out(server: Anything, argv: Sequence[str]) -> None:
    if argv[0] == KUBE:
        carry_out(KubeApi(lambda: [server]), argv[1], argv[2:])


def undone(server: Anything, undo: Any, *, mark: str) -> None:
    server.marked = mark
    for argv in (undo.argv, undo.confirm_argv):
        if argv is not None:
            carried_out(server, argv)
    server.marked = ""
