"""The administrator's credentials, from a kubeconfig with client certificates."""

from __future__ import annotations

import base64
import binascii
import ssl
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from quorate.harness.errors import DriverError


@dataclass(frozen=True)
class CredentialFiles:
    """PEM files in a private directory that lives as long as its context."""

    ca: Path
    certificate: Path
    key: Path


@dataclass(frozen=True)
class KubeCredentials:
    """PEM bytes; kept out of repr, logs and the run directory."""

    ca: bytes = field(repr=False)
    certificate: bytes = field(repr=False)
    key: bytes = field(repr=False)

    @classmethod
    def read(cls, kubeconfig: Path) -> KubeCredentials:
        """The credentials of the current context. DriverError names what the file lacks."""
        try:
            document = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))
            context = _named(document, "contexts", document["current-context"])["context"]
            cluster = _named(document, "clusters", context["cluster"])["cluster"]
            user = _named(document, "users", context["user"])["user"]
            return cls(
                ca=_pem(cluster, "certificate-authority", kubeconfig),
                certificate=_pem(user, "client-certificate", kubeconfig),
                key=_pem(user, "client-key", kubeconfig),
            )
        except OSError as error:
            raise DriverError(f"{kubeconfig}: cannot be read: {error.strerror}") from error
        except (yaml.YAMLError, KeyError, TypeError, binascii.Error) as error:
            raise DriverError(
                f"{kubeconfig}: no client certificate to be had ({type(error).__name__}: {error}); "
                "quorate needs a kubeconfig whose current context has certificate-authority, "
                "client-certificate and client-key, as kubeadm's admin.conf has"
            ) from error

    def valid_until(self) -> datetime:
        """When the client's certificate expires, in UTC. DriverError where it is none."""
        from cryptography import x509  # takes 50 ms, which `quorate --help` need not

        try:
            return x509.load_pem_x509_certificate(self.certificate).not_valid_after_utc
        except ValueError as error:
            raise DriverError(f"the kubeconfig's client certificate is none: {error}") from error

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
                context.load_cert_chain(files.certificate, files.key)
        except ssl.SSLError as error:
            raise DriverError(f"the kubeconfig's certificates cannot be used: {error}") from error
        return context


def server_of(kubeconfig: Path) -> tuple[str, int]:
    """Host and port of the server of the current context. DriverError where there is none."""
    try:
        document = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))
        context = _named(document, "contexts", document["current-context"])["context"]
        url = urlsplit(_named(document, "clusters", context["cluster"])["cluster"]["server"])
        if url.scheme != "https" or url.hostname is None:
            raise ValueError(f"server {url.geturl()!r}")
        return url.hostname, url.port or 443
    except OSError as error:
        raise DriverError(f"{kubeconfig}: cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        raise DriverError(
            f"{kubeconfig}: its current context has no https server ({type(error).__name__}: "
            f"{error})"
        ) from error


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
