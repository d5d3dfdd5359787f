"""One thing that the Kubernetes API is asked to allow, in the words that RBAC uses; pure."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


class Access(NamedTuple):
    """`resource` with its subresource (`pods/eviction`), or a path that is no resource's
    (`/readyz`). `namespace` "": the whole cluster; `name` "": any."""

    verb: str
    group: str
    resource: str
    namespace: str = ""
    name: str = ""

    def __str__(self) -> str:
        if self.resource.startswith("/"):
            return f"{self.verb} {self.resource}"
        kind = f"{self.resource}.{self.group}" if self.group else self.resource
        named = f" {self.name!r}" if self.name else ""
        where = f"in namespace {self.namespace}" if self.namespace else "in the whole cluster"
        return f"{self.verb} {kind}{named} {where}"


def access_of(method: str, target: str) -> Access:
    """What a request needs, as an API server makes it out (k8s.io/apiserver, requestinfo.go).

    A server-side apply that makes an object needs `create` of that name besides (patch.go).
    """
    url = urlsplit(target)
    parts = [unquote(part) for part in url.path.strip("/").split("/")]
    prefix = {"api": 2, "apis": 3}.get(parts[0], len(parts))
    if len(parts) <= prefix:
        return Access(method.lower(), "", url.path)
    group = parts[1] if parts[0] == "apis" else ""
    rest, namespace = parts[prefix:], ""
    if rest[0] == "namespaces" and len(rest) > 2:
        namespace, rest = rest[1], rest[2:]
    resource, name, sub = (*rest, "", "")[:3]
    # The API's proxy takes `name:port` for a name.
    verb = _VERBS.get(method) or _reading(name, watch=parse_qs(url.query).get("watch"))
    return Access(verb, group, f"{resource}/{sub}" if sub else resource, namespace, name)


def _reading(name: str, *, watch: list[str] | None) -> str:
    if name:
        return "get"
    return "watch" if watch and watch[0] not in ("0", "false") else "list"
