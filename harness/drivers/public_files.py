"""Certificates and kubeconfigs of a node, without their keys: those never leave it."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from datetime import UTC, datetime

from quorate.harness.errors import DriverError
from quorate.harness.model.public_files import Certificate, PublicFiles
from quorate.harness.transport import Transport

PLACES = (
    "/etc/kubernetes/pki/*.crt",
    "/etc/kubernetes/pki/etcd/*.crt",
    "/etc/etcd/pki/*.crt",
    "/etc/kubernetes/*.conf",
    "/var/lib/kubelet/pki/kubelet-client-current.pem",
)
"""kubeadm's, and where its guides put those of an external etcd."""

# $@ patterns. Of each file, after a line with its name: certificates, and of a kubeconfig the
# client's certificate and the server. No line with a key is printed.
_PUBLIC = r"""
IFS=
for pattern do
    for file in $pattern; do
        [ -f "$file" ] || continue
        printf '\036%s\n' "$file"
        sed -n -e '/-----BEGIN CERTIFICATE-----/,/-----END CERTIFICATE-----/p' \
            -e '/^ *client-certificate-data:/p' -e '/^ *server:/p' "$file" || exit
    done
done
"""

_MARK = "\x1e"
_SERVER = re.compile(r"^ *server: *[\"']?([^\s\"']+)", re.MULTILINE)
_CLIENT = re.compile(r"^ *client-certificate-data: *[\"']?([^\s\"']+)", re.MULTILINE)
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)


def public_argv(*places: str) -> tuple[str, ...]:
    """Prints what is public of the files that match these patterns of the shell's."""
    return ("sh", "-c", _PUBLIC, "quorate", *places)


class PublicFileDriver:
    """What lies at kubeadm's places. Changes nothing."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def read(self, node: str) -> PublicFiles:
        """TransportError where the node cannot be asked or a file not be read, DriverError where
        a certificate is none."""
        return parse_public(self._transport.check(node, public_argv(*PLACES), timeout_s=8.0).stdout)


def parse_public(text: str) -> PublicFiles:
    """What `public_argv` prints. DriverError names the file with a certificate that is none."""
    certificates: list[Certificate] = []
    servers: dict[str, str] = {}
    for part in text.split(_MARK)[1:]:
        path, _, content = part.partition("\n")
        server = _SERVER.search(content)
        if server:
            servers[path] = server[1]
        certificates += [_certificate(pem, path) for pem in _pems(content, path)]
    return PublicFiles(tuple(certificates), servers)


def _pems(content: str, path: str) -> Iterator[bytes]:
    yield from (pem.encode() for pem in _PEM.findall(content))
    for data in _CLIENT.findall(content):
        try:
            yield base64.b64decode(data, validate=True)
        except binascii.Error as error:
            raise DriverError(f"{path}: client-certificate-data is no base64: {error}") from error


def _certificate(pem: bytes, path: str) -> Certificate:
    from cryptography import x509  # takes 50 ms, which `quorate --help` need not

    try:
        found = x509.load_pem_x509_certificate(pem)
        names = _names(found)
    except ValueError as error:
        raise DriverError(f"{path}: a certificate that is none: {error}") from error
    until: datetime = found.not_valid_after_utc.astimezone(UTC)
    return Certificate(path, found.subject.rfc4514_string(), until, names)


def _names(found: object) -> tuple[str, ...]:
    from cryptography import x509

    assert isinstance(found, x509.Certificate)
    try:
        extension = found.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return ()
    alternatives = extension.value
    addresses = alternatives.get_values_for_type(x509.IPAddress)
    return (*alternatives.get_values_for_type(x509.DNSName), *map(str, addresses))
