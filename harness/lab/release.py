"""Downloading an official release: resumable, refused unless its SHA-256 is the published one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from quorate.harness.errors import LabError

if TYPE_CHECKING:
    # Imported where it is used: the power switch must not wait 0.2 s for a library it never calls.
    import requests

CONNECT_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 60.0
CHUNK = 1 << 20


class Unavailable(Exception):
    """The release cannot be had from here (no network, refused, not published)."""


def fetch(url: str, checksum_url: str, directory: Path, say: Callable[[str], None]) -> Path:
    """Download ``url`` into ``directory`` unless it is there, whole and right.

    Raises:
        Unavailable: the server cannot be reached or does not have it.
        LabError: what arrived is not what was published; the file is removed.
    """
    session = _session()
    session.trust_env = True  # a user's proxy settings; certificates come from the system
    name = url.rsplit("/", 1)[1]
    expected = _published(session, checksum_url, name)
    directory.mkdir(parents=True, exist_ok=True)
    whole = directory / f"{expected[:16]}-{name}"
    if not whole.exists():
        partial = whole.with_suffix(whole.suffix + ".partial")
        _resume(session, url, partial, say)
        if (got := _sha256(partial)) != expected:
            partial.unlink()
            raise LabError(f"{url}: SHA-256 is {got}, published is {expected}; removed, try again")
        partial.rename(whole)
    return whole


def reachable(url: str) -> bool:
    """Whether ``url`` answers with what it should hold."""
    try:
        _get(_session(), url)
    except Unavailable:
        return False
    return True


def _session() -> requests.Session:
    import requests

    return requests.Session()


def _published(session: requests.Session, url: str, name: str) -> str:
    """The checksum from a file that holds either the bare sum or lines ``<sum>  <name>``."""
    text = _get(session, url).text
    for line in text.splitlines():
        words = line.split()
        if len(words) == 1 or (words and words[-1].lstrip("*").rsplit("/", 1)[-1] == name):
            return words[0].lower()
    raise LabError(f"{url} names no checksum for {name}")


def _get(session: requests.Session, url: str, **headers: str) -> requests.Response:
    import requests

    try:
        answer = session.get(
            url, timeout=(CONNECT_TIMEOUT_S, READ_TIMEOUT_S), headers=headers, stream=True
        )
    except requests.RequestException as error:
        raise Unavailable(type(error).__name__) from error
    if answer.status_code not in (200, 206):
        raise Unavailable(f"status {answer.status_code}")
    return answer


def _resume(session: requests.Session, url: str, partial: Path, say: Callable[[str], None]) -> None:
    import requests

    have = partial.stat().st_size if partial.exists() else 0
    answer = _get(session, url, Range=f"bytes={have}-") if have else _get(session, url)
    if have and answer.status_code == 200:
        have = 0  # the server ignores ranges
    total = have + int(answer.headers.get("Content-Length", 0))
    said = have
    with partial.open("ab" if have else "wb") as file:
        try:
            for chunk in answer.iter_content(CHUNK):
                file.write(chunk)
                have += len(chunk)
                if have - said > 20 * CHUNK:
                    said = have
                    say(f"  {partial.stem}: {have >> 20} of {total >> 20} MiB")
        except requests.RequestException as error:
            raise Unavailable(f"broke off after {have} bytes: {type(error).__name__}") from error


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(CHUNK):
            digest.update(block)
    return digest.hexdigest()
