"""Certificates for a server and a client on 127.0.0.1, by openssl."""

from __future__ import annotations

import subprocess
from pathlib import Path


def written(folder: Path) -> Path:
    """ca.pem, server.pem, server.key, client.pem and client.key in a folder; the folder."""
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    _openssl(folder, "req", "-x509", *curve, "-days", "2", "-subj", "/CN=test-ca",
             "-addext", "keyUsage=critical,keyCertSign,cRLSign",  # Python 3.13 demands it
             "-keyout", "ca.key", "-out", "ca.pem")  # fmt: skip
    for name in ("server", "client"):
        _openssl(folder, "req", "-x509", *curve, "-days", "2", "-subj", f"/CN={name}",
                 "-addext", "subjectAltName=IP:127.0.0.1",
                 "-addext", "basicConstraints=critical,CA:FALSE",
                 "-CA", "ca.pem", "-CAkey", "ca.key",
                 "-keyout", f"{name}.key", "-out", f"{name}.pem")  # fmt: skip
    return folder


def _openssl(folder: Path, *argv: str) -> None:
    subprocess.run(["openssl", *argv], cwd=folder, check=True, capture_output=True)
