"""Which rights the user of the kubeconfig has, asked of the API itself. Changes nothing."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from quorate.harness.drivers.kube_api import JSON, Server
from quorate.harness.errors import DriverError
from quorate.harness.model.access import Access

REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
WHOAMI = "/apis/authentication.k8s.io/v1/selfsubjectreviews"


class RightsDriver:
    """Questions about ourselves, which everybody may ask (`system:basic-user`)."""

    def __init__(self, servers: Callable[[], Sequence[Server]]) -> None:
        self._servers = servers

    def missing(self, wanted: Iterable[Access]) -> tuple[list[Access], str]:
        """Those that are denied, and whose they would be ("" where nothing is, or nobody tells).

        One connection for all: a question takes an API server about a millisecond. DriverError
        where no API server answers, or none lets us ask.
        """
        wanted = list(wanted)
        said: list[str] = []
        for server in self._servers():
            try:
                denied = [one for one in wanted if not _allowed(server, one)]
                return denied, _user(server) if denied else ""
            except DriverError as error:
                said.append(str(error))
            finally:
                server.close()
        raise DriverError("no API server tells which rights there are:\n  " + "\n  ".join(said))


def _allowed(server: Server, access: Access) -> bool:
    verb, group, resource, namespace, name = access
    kind, _, sub = resource.partition("/")
    spec: dict[str, Any] = {"nonResourceAttributes": {"path": resource, "verb": verb}}
    if kind:
        attributes = {"verb": verb, "group": group, "resource": kind, "subresource": sub}
        spec = {"resourceAttributes": {**attributes, "namespace": namespace, "name": name}}
    said = _asked(server, REVIEWS, "authorization.k8s.io", "SelfSubjectAccessReview", spec)
    try:
        return said["status"]["allowed"] is True
    except (KeyError, TypeError) as error:
        raise DriverError(f"{REVIEWS}: an answer without status.allowed") from error


def _user(server: Server) -> str:
    try:
        said = _asked(server, WHOAMI, "authentication.k8s.io", "SelfSubjectReview", {})
        return str(said["status"]["userInfo"]["username"])
    except (DriverError, KeyError, TypeError):
        return ""


def _asked(server: Server, path: str, group: str, kind: str, spec: dict[str, Any]) -> Any:
    given = {"apiVersion": f"{group}/v1", "kind": kind, "spec": spec}
    answer = server.ask("POST", path, body=json.dumps(given).encode(), content_type=JSON)
    if answer.status not in (http.client.OK, http.client.CREATED):
        raise DriverError(f"{path}: {answer.status}")
    try:
        return json.loads(answer.body)
    except ValueError as error:
        raise DriverError(f"{path}: not JSON") from error
