"""Certificates as kubeadm lays them on a control plane, and signing one anew there.

The authority's key and the certificate's stay on the node: openssl reads them, and what is printed
is the certificate.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from quorate.harness.errors import DriverError
from quorate.harness.transport import Transport

PKI = "/etc/kubernetes/pki"
APISERVER = f"{PKI}/apiserver.crt"
"""What the API server shows its clients (kubeadm, app/phases/certs/certlist.go)."""

# $1 the certificate, $2 its key, $3 and $4 the authority and its key, $5 a serial number, $6 days.
# Nothing but serial number and dates differs: -copy_extensions needs OpenSSL 3.0.
_RENEWED = """\
openssl x509 -x509toreq -in "$1" -signkey "$2" -copy_extensions copyall |
    openssl x509 -req -CA "$3" -CAkey "$4" -set_serial "$5" -days "$6" -copy_extensions copyall
"""
# Fails where something is missing, and says what.
_ABLE = """\
openssl version | grep -q -E '^OpenSSL ([3-9]|[1-9][0-9])' || {
    echo 'no openssl of 3.0 or newer: install it'; exit 1; }
for file do [ -r "$file" ] || { echo "no $file"; exit 1; }; done
"""


@dataclass(frozen=True)
class Certificate:
    """What a PEM file says; `key` is the public one (DER)."""

    subject: str
    issuer: str
    key: bytes
    until: datetime


def parse_certificate(pem: str) -> Certificate:
    """DriverError where it is none."""
    from cryptography import x509  # takes 50 ms, which `quorate --help` need not
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    try:
        found = x509.load_pem_x509_certificate(pem.encode())
    except ValueError as error:
        raise DriverError(f"not a certificate: {error}") from error
    return Certificate(
        subject=found.subject.rfc4514_string(),
        issuer=found.issuer.rfc4514_string(),
        key=found.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        until=found.not_valid_after_utc,
    )


def renewed_argv(path: str, *, serial: int, days: int) -> tuple[str, ...]:
    """Prints the certificate of kubeadm at `path`, signed anew: from now on for so many days."""
    key, authority = f"{path.removesuffix('.crt')}.key", f"{PKI}/ca"
    words = (path, key, f"{authority}.crt", f"{authority}.key", str(serial), str(days))
    return ("sh", "-c", _RENEWED, "quorate", *words)


def able_argv(path: str) -> tuple[str, ...]:
    """Prints what the node lacks for `renewed_argv`, and ends with 1; else nothing."""
    files = (path, f"{path.removesuffix('.crt')}.key", f"{PKI}/ca.crt", f"{PKI}/ca.key")
    return ("sh", "-c", _ABLE, "quorate", *files)


class SigningDriver:
    """What a control plane can sign by itself. Changes nothing."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def lacking(self, node: str, path: str) -> str:
        """What the node lacks for signing the certificate at `path` anew; empty: nothing."""
        asked = self._transport.run(node, able_argv(path), timeout_s=8.0)
        if asked.returncode == 0:
            return ""
        return asked.stdout.strip() or asked.stderr.strip() or "it did not say what it lacks"
