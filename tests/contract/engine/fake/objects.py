"""ConfigMaps as an API server keeps them, and the ways in which one may lose a write.

Shared by the fake cluster of the engine's tests and the sampler's tests; standard library only.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

Answer = tuple[int, bytes]


def nothing_wrong(_: int) -> str:
    return ""


def _version(one: dict[str, Any]) -> int:
    return int(one["metadata"]["resourceVersion"])


class ConfigMaps:
    """What all API servers of a cluster keep together. ``trouble``: number of a PUT (from 1) → what
    becomes of it: "" (as it should), "forget" (acknowledged and not kept), "cut" (kept and not
    answered), "drop" (neither), "touch" (somebody else has changed the object before)."""

    def __init__(self, trouble: Callable[[int], str] = nothing_wrong) -> None:
        self.objects: dict[str, dict[str, Any]] = {}
        self.trouble = trouble
        self.puts = 0
        self._version = 100
        self._lock = threading.Lock()

    def answer(self, method: str, target: str, given: bytes) -> Answer | None:
        """The answer; None where the connection is to be cut without one."""
        url = urlsplit(target)
        with self._lock:
            selector = parse_qs(url.query).get("labelSelector")
            if selector:
                return self._selected(url.path, selector[0])
            if method == "POST":
                return self._make(url.path, json.loads(given))
            if url.path not in self.objects:
                return 404, b"{}"
            if method == "PUT":
                return self._put(url.path, json.loads(given))
            if method == "DELETE":
                return 200, json.dumps(self.objects.pop(url.path)).encode()
            return 200, json.dumps(self.objects[url.path]).encode()

    def changed(self, target: str, *, since: int) -> list[dict[str, Any]]:
        """What a watch of ``target`` tells next: its objects with a later version, oldest first."""
        url = urlsplit(target)
        with self._lock:
            _, said = self._selected(url.path, parse_qs(url.query)["labelSelector"][0])
        found = [one for one in json.loads(said)["items"] if _version(one) > since]
        return sorted(found, key=_version)

    def _make(self, folder: str, given: dict[str, Any]) -> Answer:
        path = f"{folder}/{given['metadata']['name']}"
        if path in self.objects:
            return 409, b'{"message": "already exists"}'
        return 201, self._keep(path, given)

    def _keep(self, path: str, given: dict[str, Any]) -> bytes:
        self._version += 1
        meta = dict(given["metadata"], resourceVersion=str(self._version), uid=f"uid of {path}")
        self.objects[path] = dict(given, metadata=meta)
        return json.dumps(self.objects[path]).encode()

    def _put(self, path: str, given: dict[str, Any]) -> Answer | None:
        self.puts += 1
        word = self.trouble(self.puts)
        before = self.objects[path]
        if word == "drop":
            return None
        if word == "touch":
            self._keep(path, before)
        if (
            given["metadata"]["resourceVersion"]
            != self.objects[path]["metadata"]["resourceVersion"]
        ):
            return 409, b'{"message": "the object has been modified"}'
        said = self._keep(path, given)
        if word == "forget":
            self.objects[path] = before
        return None if word == "cut" else (200, said)

    def _selected(self, path: str, selector: str) -> Answer:
        label, _, value = selector.partition("=")
        found = [
            one
            for at, one in self.objects.items()
            if at.startswith(f"{path}/") and one["metadata"]["labels"].get(label) == value
        ]
        return 200, json.dumps({"kind": "List", "items": found}).encode()
