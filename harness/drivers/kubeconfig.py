"""The credentials of a kubeconfig's current context: a client certificate, a token, or what an exec
plugin gives."""

from __future__ import annotations

import base64
import binascii
import json
import re
import ssl
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import yaml

from quorate.harness.drivers.exec_plugin import Given, ask_plugin
from quorate.harness.errors import DriverError

WANTED = (
    "quorate takes a current context whose cluster has certificate-authority(-data), and whose "
    "user has client-certificate(-data) with client-key(-data), as kubeadm's admin.conf has, or "
    "token, tokenFile or exec"
)
_NOT_TAKEN = {
    "users": ("username", "password", "auth-provider", "as", "as-uid", "as-groups"),
    "clusters": ("insecure-skip-tls-verify", "proxy-url"),
}
_TOKEN = re.compile(r"[\x21-\x7e]+")
"""What may stand in a header's line."""


@dataclass(frozen=True)
class CredentialFiles:
    """PEM files in a private directory that lives as long as its context."""

    ca: Path
    certificate: Path
    key: Path


class Expiry(NamedTuple):
    """When credentials end, in UTC; what ends, and how it is renewed."""

    at: datetime
    of: str
    remedy: str


@dataclass(frozen=True)
class KubeCredentials:
    """PEM bytes and a bearer token; kept out of repr, logs and the run directory.

    ``certificate`` and ``key`` are empty, or ``token`` is. ``given_until``: what an exec plugin
    says of how long it holds.
    """

    ca: bytes = field(repr=False)
    certificate: bytes = field(repr=False, default=b"")
    key: bytes = field(repr=False, default=b"")
    token: str = field(repr=False, default="")
    given_until: datetime | None = None

    @classmethod
    def read(cls, kubeconfig: Path) -> KubeCredentials:
        """The credentials of the current context; an exec plugin is asked. DriverError names what
        the file lacks, or what the plugin said."""
        try:
            document, context = _current(kubeconfig)
            cluster = _named(document, "clusters", context["cluster"])["cluster"]
            user = _named(document, "users", context["user"])["user"]
            _refuse_not_taken(cluster, user, kubeconfig)
            ca = _pem(cluster, "certificate-authority", kubeconfig)
            given = _given(user, kubeconfig)
        except OSError as error:
            where = error.filename or kubeconfig
            raise DriverError(f"{where}: cannot be read: {error.strerror}") from error
        except (yaml.YAMLError, KeyError, TypeError, binascii.Error) as error:
            raise DriverError(
                f"{kubeconfig}: no credentials to be had ({_what(error)}); {WANTED}"
            ) from error
        if given.token and not _TOKEN.fullmatch(given.token):
            raise DriverError(f"{kubeconfig}: the token holds what no token holds (a blank?)")
        return cls(ca, given.certificate, given.key, given.token, given.until)

    @property
    def headers(self) -> dict[str, str]:
        """What each request carries besides."""
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    def expiry(self) -> Expiry | None:
        """The first end of what is here; None where nothing tells. DriverError where the client's
        certificate is none."""
        found = []
        if self.certificate:
            of, remedy = "client certificate", "kubeadm certs renew admin.conf"
            found.append(Expiry(_end_of_certificate(self.certificate), of, remedy))
        if (until := _end_of_token(self.token)) is not None:
            found.append(Expiry(until, "token", "kubectl create token … --duration=…"))
        if self.given_until is not None:
            of = "credentials, as its exec plugin gave them,"
            found.append(Expiry(self.given_until, of, "ask for ones that last longer"))
        return min(found, default=None)

    @contextmanager
    def as_files(self) -> Iterator[CredentialFiles]:
        """The three as files, for programs that take paths; removed at the end."""
        with tempfile.TemporaryDirectory(prefix="quorate-pem-") as directory:
            files = CredentialFiles(*(Path(directory, n) for n in ("ca.pem", "crt.pem", "key.pem")))
            for path, content in zip(
                (files.ca, files.certificate, files.key),
                (self.ca, self.certificate, self.key),
                strict=True,
            ):
                path.touch(mode=0o600)
                path.write_bytes(content)
            yield files

    def ssl_context(self) -> ssl.SSLContext:
        """A client's TLS context that trusts only this cluster's CA. DriverError if it is bad."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        try:
            with self.as_files() as files:
                context.load_verify_locations(files.ca)
                if self.certificate:
                    context.load_cert_chain(files.certificate, files.key)
        except ssl.SSLError as error:
            raise DriverError(f"the kubeconfig's certificates cannot be used: {error}") from error
        return context


def server_of(kubeconfig: Path) -> tuple[str, int]:
    """Host and port of the server of the current context. DriverError where there is none."""
    try:
        document, context = _current(kubeconfig)
        url = urlsplit(_named(document, "clusters", context["cluster"])["cluster"]["server"])
        if url.scheme != "https" or url.hostname is None:
            raise ValueError(f"server {url.geturl()!r}")
        return url.hostname, url.port or 443
    except OSError as error:
        raise DriverError(f"{kubeconfig}: cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        raise DriverError(
            f"{kubeconfig}: its current context has no https server ({_what(error)})"
        ) from error


def _given(user: Mapping[str, Any], kubeconfig: Path) -> Given:
    """What the user shows; client-go takes them in this order (tools/clientcmd, transport)."""
    if "exec" in user:
        return ask_plugin(user["exec"], kubeconfig=kubeconfig)
    if "tokenFile" in user:  # before token: "tokenFile takes precedence" (clientcmd/api/v1)
        text = Path(kubeconfig.parent, str(user["tokenFile"])).read_text(encoding="utf-8")
        return Given(token=text.strip())
    if "token" in user:
        return Given(token=str(user["token"]).strip())
    return Given(_pem(user, "client-certificate", kubeconfig), _pem(user, "client-key", kubeconfig))


def _refuse_not_taken(
    cluster: Mapping[str, Any], user: Mapping[str, Any], kubeconfig: Path
) -> None:
    for section, entry in (("clusters", cluster), ("users", user)):
        for key in _NOT_TAKEN[section]:
            if entry.get(key):
                raise DriverError(f"{kubeconfig}: {section}: {key} is not taken; {WANTED}")


def _end_of_certificate(pem: bytes) -> datetime:
    from cryptography import x509  # takes 50 ms, which `quorate --help` need not

    try:
        return x509.load_pem_x509_certificate(pem).not_valid_after_utc
    except ValueError as error:
        raise DriverError(f"the kubeconfig's client certificate is none: {error}") from error


def _end_of_token(token: str) -> datetime | None:
    """`exp` of a JSON Web Token (RFC 7519), as ServiceAccounts' are; None for any other."""
    try:
        payload = token.split(".")[1]
        said = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return datetime.fromtimestamp(float(said["exp"]), UTC)
    except (IndexError, ValueError, KeyError, TypeError, OverflowError):
        return None


def _what(error: Exception) -> str:
    """Of a file that holds secrets: a parser's message may quote its lines."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return f"line {error.problem_mark.line + 1} is no YAML"
    if isinstance(error, (KeyError, binascii.Error)):
        return f"{type(error).__name__}: {error}"
    return type(error).__name__


def _current(kubeconfig: Path) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The file, and its current context."""
    document: Mapping[str, Any] = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))
    return document, _named(document, "contexts", document["current-context"])["context"]


def _named(document: Mapping[str, Any], section: str, name: str) -> Mapping[str, Any]:
    for entry in document[section]:
        if entry["name"] == name:
            found: Mapping[str, Any] = entry
            return found
    raise KeyError(f"{section}: {name}")


def _pem(entry: Mapping[str, Any], key: str, kubeconfig: Path) -> bytes:
    if f"{key}-data" in entry:
        return base64.b64decode(entry[f"{key}-data"], validate=True)
    return Path(kubeconfig.parent, str(entry[key])).read_bytes()
