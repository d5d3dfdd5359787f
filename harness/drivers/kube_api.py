"""Writing to the Kubernetes API, by way of any healthy API server and never through the VIP.

Each call has a timeout of its own and goes to one API server after the other until one answers;
so every write here must bear being done twice: an answer that was lost may have been a success.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn, Protocol
from urllib.parse import quote

from quorate.harness.drivers.forbidden import forbidden
from quorate.harness.drivers.kube import Answer
from quorate.harness.errors import DriverError
from quorate.harness.model.marks import LABEL, annotation
from quorate.harness.model.own_commands import KUBE

ROLLED_OUT_S = 60.0
"""Pods in their turn: scheduled, started, ready; those before them ended."""

FIELD_OWNER = "quorate"
MERGE = "application/merge-patch+json"
APPLY = "application/apply-patch+yaml"
JSON = "application/json"

NONE_LEFT = r"^\[\]$"
"""What `KubeCommands.show_labelled` prints where no object carries the mark."""

UNMARKED = r"^(null|gone)$"
"""What `KubeCommands.show_mark` prints where a mark is not, or no longer."""

_FINAL = 500
"""Below it an answer is the cluster's; from it on, another API server may know better."""


def labelled(path: str, *, mark: str) -> str:
    """The part of a list whose objects carry this mark as their label."""
    return f"{path}?labelSelector={quote(f'{LABEL}={mark}', safe='')}"


class Server(Protocol):
    """What is needed of one API server."""

    def close(self) -> None: ...

    def ask(self, method: str, path: str, *, body: bytes | None, content_type: str) -> Answer:
        """One request; DriverError when there is no whole answer within the timeout."""
        ...


class KubeApi:
    """Objects of the cluster: read, made, changed, removed."""

    def __init__(self, servers: Callable[[], Sequence[Server]]) -> None:
        """`servers`: new connections, the best guess first; used for one call each."""
        self._servers = servers

    def ask(
        self, method: str, path: str, *, body: object = None, content_type: str = JSON
    ) -> Answer:
        """The first answer that is the cluster's. DriverError when no API server answers, Forbidden
        where one forbids it."""
        data = None if body is None else json.dumps(body).encode()
        said: list[str] = []
        last: Answer | None = None
        for server in self._servers():
            try:
                answer = server.ask(method, path, body=data, content_type=content_type)
            except DriverError as error:
                said.append(str(error))
                continue
            finally:
                server.close()
            if answer.status == http.client.FORBIDDEN:
                raise forbidden(method, path, body=answer.body)
            if answer.status < _FINAL:
                return answer
            last = answer
        if last is None:
            raise DriverError("no API server answers:\n  " + "\n  ".join(said))
        return last

    def get(self, path: str) -> Any:
        """The object; None where there is none. DriverError for every other answer."""
        answer = self.ask("GET", path)
        if answer.status == http.client.NOT_FOUND:
            return None
        return _wanted(answer, "GET", path)

    def items(self, path: str) -> list[dict[str, Any]]:
        """A list's objects; DriverError where there is no such list."""
        found = self.get(path)
        if not isinstance(found, dict) or not isinstance(found.get("items"), list):
            raise DriverError(f"GET {path}: there is no such list")
        items: list[dict[str, Any]] = found["items"]
        return items

    def apply(self, path: str, body: Mapping[str, Any]) -> Any:
        """Make the object at `path`, or make it like `body` (server-side apply)."""
        query = f"?fieldManager={FIELD_OWNER}&force=true"
        answer = self.ask("PATCH", path + query, body=body, content_type=APPLY)
        return _wanted(answer, "PATCH", path)

    def create(self, path: str, body: Mapping[str, Any]) -> Any:
        """Make an object of the list at `path`. One that is there already is taken for ours: an
        answer that was lost may have been a success."""
        answer = self.ask("POST", path, body=body)
        if answer.status == http.client.CONFLICT:
            found = self.get(f"{path}/{body['metadata']['name']}")
            if found is not None:
                return found
        return _wanted(answer, "POST", path)

    def patch(self, path: str, body: Mapping[str, Any]) -> Any:
        """Merge `body` into the object; None where there is none."""
        query = f"?fieldManager={FIELD_OWNER}"
        answer = self.ask("PATCH", path + query, body=body, content_type=MERGE)
        if answer.status == http.client.NOT_FOUND:
            return None
        return _wanted(answer, "PATCH", path)

    def patch_as_read(
        self, path: str, body: Mapping[str, Any], *, found: Mapping[str, Any]
    ) -> bool:
        """Merge `body` into the object as `found` shows it; False if it has changed since."""
        version = {"resourceVersion": found["metadata"]["resourceVersion"]}
        given = {**body, "metadata": {**body.get("metadata", {}), **version}}
        query = f"?fieldManager={FIELD_OWNER}"
        answer = self.ask("PATCH", path + query, body=given, content_type=MERGE)
        if answer.status in (http.client.NOT_FOUND, http.client.CONFLICT):
            return False
        _wanted(answer, "PATCH", path)
        return True

    def delete(self, path: str, *, body: Mapping[str, Any] | None = None) -> bool:
        """Remove the object; whether it (still) was there. It may go on ending for a while."""
        answer = self.ask("DELETE", path, body=body)
        if answer.status in (http.client.NOT_FOUND, http.client.CONFLICT):
            return False  # CONFLICT: the precondition (a uid) names one that is gone
        _wanted(answer, "DELETE", path)
        return True

    def evict(self, pod: Mapping[str, Any]) -> Answer:
        """Ask for the pod's eviction (policy/v1): 201 granted, 429 a budget forbids it now,
        404 or 409 this very pod is gone already. By its uid: never its namesake."""
        name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
        body = {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": name, "namespace": namespace},
            "deleteOptions": {"preconditions": {"uid": pod["metadata"]["uid"]}},
        }
        return self.ask("POST", f"/api/v1/namespaces/{namespace}/pods/{name}/eviction", body=body)


class KubeCommands:
    """The same writes as commands: data for a journal, carried out by any process of ours.

    They name neither a Python nor a kubeconfig: these are put in where they are run.
    """

    def argv(self, verb: str, *words: str) -> tuple[str, ...]:
        """`drivers/kube_command.py` with one of its verbs; run on the node "harness"."""
        return (KUBE, verb, *words)

    def patch(self, path: str, body: Mapping[str, Any]) -> tuple[str, ...]:
        """Merge into an object; harmless where there is none."""
        return self.argv("patch", path, _data(body))

    def mark(
        self, path: str, body: Mapping[str, Any], *, mark: str, unless: Mapping[str, Any] = {}
    ) -> tuple[str, ...]:
        """Merge into an object and mark it; fails where `unless` holds without the mark."""
        return self.argv("mark", path, mark, _data(body), _data(unless))

    def unmark(self, path: str, body: Mapping[str, Any], *, mark: str) -> tuple[str, ...]:
        """Merge into an object and take the mark off; harmless where it is not."""
        return self.argv("unmark", path, mark, _data(body))

    def show_mark(self, path: str, *, mark: str) -> tuple[str, ...]:
        """What `UNMARKED` is held against."""
        return self.show(path, f"metadata.annotations.{annotation(mark)}")

    def delete_marked(self, path: str, *, mark: str) -> tuple[str, ...]:
        """Remove an object whose label is this mark; harmless where it is another's or gone."""
        return self.argv("delete-marked", path, mark)

    def delete_labelled(self, path: str, *, mark: str) -> tuple[str, ...]:
        """Remove, of a list, the objects whose label is this mark; harmless where there is none."""
        return self.argv("delete-labelled", path, mark)

    def show_labelled(self, path: str, *, mark: str) -> tuple[str, ...]:
        """What `NONE_LEFT` is held against."""
        return self.show(labelled(path, mark=mark), "items")

    def apply(self, path: str, body: Mapping[str, Any]) -> tuple[str, ...]:
        """Make an object or make it like this."""
        return self.argv("apply", path, _data(body))

    def delete(self, path: str, body: Mapping[str, Any] | None = None) -> tuple[str, ...]:
        """Remove an object; harmless where there is none."""
        return self.argv("delete", path, _data(body or {}))

    def rolled_out(self, path: str) -> tuple[str, ...]:
        """Wait until a Deployment runs as it is declared, `ROLLED_OUT_S` at most."""
        return self.argv("rolled-out", path, f"{ROLLED_OUT_S:g}")

    def show(self, path: str, field: str) -> tuple[str, ...]:
        """Print one field (`spec.replicas`) as JSON; `null` where it is not set, and `gone` where
        there is no such object."""
        return self.argv("show", path, field)


def _data(body: Mapping[str, Any]) -> str:
    return json.dumps(body, sort_keys=True, separators=(",", ":"))


def _wanted(answer: Answer, method: str, path: str) -> Any:
    try:
        said = json.loads(answer.body)
    except ValueError:
        said = {"message": repr(answer.body[:200])}
    if not http.client.OK <= answer.status < http.client.MULTIPLE_CHOICES:
        _refused(answer.status, said, f"{method} {path}")
    return said


def _refused(status: int, said: Mapping[str, Any], asked: str) -> NoReturn:
    raise DriverError(f"{asked}: {status} {said.get('message', said)}")
