"""Changes to Kubernetes objects that tell whose they are, so that only theirs is taken back.

The mark is an annotation of its own (`quorate/<mark>`), set and taken off in the same request as
the change. An undo that comes late, when somebody else has changed the object since, finds no mark
of its own and leaves it alone. Objects that are ours altogether carry the mark as a label.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from quorate.harness.drivers.kube_api import KubeApi, labelled
from quorate.harness.errors import DriverError, Forbidden
from quorate.harness.model.marks import LABEL, PREFIX, annotation

TRIES = 10
"""A node or a Deployment is written by others too; each try reads it anew."""

WHERE = (
    *("/api/v1/nodes", "/api/v1/namespaces"),
    "/apis/apps/v1/namespaces/kube-system/deployments",
    "/api/v1/namespaces/kube-system/configmaps",
    # Ours alone: nobody else's Secrets are read.
    f"/api/v1/namespaces/kube-system/pods?labelSelector={quote(LABEL, safe='')}",
    "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
)
SECRETS = f"/api/v1/namespaces/kube-system/secrets?labelSelector={quote(LABEL, safe='')}"
"""Each lies beside a pod of ours. To list them takes a right that shows all others too, so it is
not asked of whoever makes none."""


def put(
    api: KubeApi, path: str, body: Mapping[str, Any], *, mark: str, unless: Mapping[str, Any]
) -> str:
    """Merge `body` and the mark. DriverError where there is no such object, or where `unless` holds
    already without this mark: then somebody else made it so, and it is not ours to take back."""
    for _ in range(TRIES):
        found = api.get(path)
        if found is None:
            raise DriverError(f"{path}: there is no such object")
        if _is_marked(found, mark):
            return "done"
        if unless and _holds(found, unless):
            raise DriverError(f"{path}: is like that already, and not by this run")
        if api.patch_as_read(path, {**body, **_meta(mark, "on")}, found=found):
            return "done"
    raise DriverError(f"{path}: changed by others {TRIES} times while it was to be marked")


def take_off(api: KubeApi, path: str, body: Mapping[str, Any], *, mark: str) -> str:
    """Merge `body` and take the mark off, if it is there; what was found."""
    for _ in range(TRIES):
        found = api.get(path)
        if found is None:
            return "gone"
        if not _is_marked(found, mark):
            return "not marked"
        if api.patch_as_read(path, {**body, **_meta(mark, None)}, found=found):
            return "done"
    raise DriverError(f"{path}: changed by others {TRIES} times while it was to be taken back")


def delete(api: KubeApi, path: str, *, mark: str) -> str:
    """Remove the object if its label is this mark; what was found."""
    found = api.get(path)
    return "gone" if found is None else _delete(api, path, found, mark=mark)


def delete_labelled(api: KubeApi, path: str, *, mark: str) -> str:
    """Remove those of a list whose label is this mark, one by one: a request for all of a list
    would take the whole list if its selector were lost."""
    found = api.items(labelled(path, mark=mark))
    said = [_delete(api, f"{path}/{one['metadata']['name']}", one, mark=mark) for one in found]
    return ", ".join(said) or "gone"


def _delete(api: KubeApi, path: str, found: Mapping[str, Any], *, mark: str) -> str:
    meta = found["metadata"]
    if (meta.get("labels") or {}).get(LABEL) != mark:
        return "not marked"
    api.delete(path, body={"preconditions": {"uid": meta["uid"]}})
    return "done"


def left(api: KubeApi) -> list[str]:
    """Every object on which a change of ours may be. DriverError where that cannot be seen."""
    seen = [(path, item) for path in WHERE for item in api.items(path)]
    with contextlib.suppress(Forbidden):
        seen += [(SECRETS, item) for item in api.items(SECRETS)]
    return [
        f"{path.partition('?')[0].rpartition('/')[2]}/{item['metadata']['name']}: {key}"
        for path, item in seen
        for kind in ("annotations", "labels")
        for key in item["metadata"].get(kind) or {}
        if key.startswith(PREFIX)
    ]


def _meta(mark: str, value: str | None) -> dict[str, Any]:
    return {"metadata": {"annotations": {annotation(mark): value}}}


def _is_marked(found: Mapping[str, Any], mark: str) -> bool:
    return annotation(mark) in (found["metadata"].get("annotations") or {})


def _holds(thing: Any, wanted: Any) -> bool:
    if isinstance(wanted, Mapping):
        return isinstance(thing, Mapping) and all(
            _holds(thing.get(key), value) for key, value in wanted.items()
        )
    return bool(thing == wanted)
