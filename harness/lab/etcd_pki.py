"""Certificates for an etcd on machines of its own, by an authority that is used once and forgotten.

Names and paths are kubeadm's (app/phases/certs/certlist.go), so that whatever finds its way on a
stacked member finds it here too. Nothing renews them: a lab does not live for ten years.
"""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from quorate.harness.lab.files import File
from quorate.harness.lab.plan import LabPlan, NodePlan

PKI = "/etc/kubernetes/pki"
LIFE = datetime.timedelta(days=3650)
SKEW = datetime.timedelta(hours=1)


def make(plan: LabPlan) -> dict[str, list[File]]:
    """Node → its files below /etc/kubernetes/pki; nothing where etcd is on the control planes."""
    if not plan.spec.members:
        return {}
    authority = _Authority.new("etcd-ca")
    ca = File(f"{PKI}/etcd/ca.crt", authority.text)
    made = {}
    for node in plan.members:
        pairs = [
            authority.issue("etcd/server", node.name, hosts=_hosts(node)),
            authority.issue("etcd/peer", node.name, hosts=_hosts(node)),
            authority.issue("etcd/healthcheck-client", "kube-etcd-healthcheck-client"),
        ]
        made[node.name] = [ca, *(file for pair in pairs for file in pair)]
    client = authority.issue("apiserver-etcd-client", "kube-apiserver-etcd-client")
    return made | {node.name: [ca, *client] for node in plan.control_planes}


def _hosts(node: NodePlan) -> tuple[str, ...]:
    return ("localhost", node.name, "127.0.0.1", "::1", node.address)


@dataclass(frozen=True)
class _Authority:
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def new(cls, name: str) -> _Authority:
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _dated(_named(name), issuer=_named(name), key=key).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        builder = builder.add_extension(_usage(signs=True), critical=True)
        return cls(key, builder.sign(key, hashes.SHA256()))

    @property
    def text(self) -> str:
        return _pem(self.certificate)

    def issue(self, path: str, name: str, *, hosts: Sequence[str] = ()) -> tuple[File, File]:
        """Certificate and key at `path` below /etc/kubernetes/pki; a server's where it has hosts,
        which calls other servers too (etcd's peers, and its own gateway)."""
        key = ec.generate_private_key(ec.SECP256R1())
        uses = [ExtendedKeyUsageOID.CLIENT_AUTH]
        builder = _dated(_named(name), issuer=self.certificate.subject, key=key)
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()),
            critical=False,
        )
        if hosts:
            uses.append(ExtendedKeyUsageOID.SERVER_AUTH)
            builder = builder.add_extension(_names(hosts), critical=False)
        builder = builder.add_extension(x509.ExtendedKeyUsage(uses), critical=False)
        builder = builder.add_extension(_usage(signs=False), critical=True)
        certificate = builder.sign(self.key, hashes.SHA256())
        return (
            File(f"{PKI}/{path}.crt", _pem(certificate)),
            File(f"{PKI}/{path}.key", _private(key), 0o600),
        )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _dated(
    subject: x509.Name, *, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return x509.CertificateBuilder(
        issuer_name=issuer,
        subject_name=subject,
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=now - SKEW,
        not_valid_after=now + LIFE,
    ).add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_encipherment=not signs,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _names(hosts: Sequence[str]) -> x509.SubjectAlternativeName:
    names: list[x509.GeneralName] = []
    for host in hosts:
        try:
            names.append(x509.IPAddress(ipaddress.ip_address(host)))
        except ValueError:
            names.append(x509.DNSName(host))
    return x509.SubjectAlternativeName(names)


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _private(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    ).decode()
