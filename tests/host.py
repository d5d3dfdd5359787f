"""What tests and lab want of the machine that they run on."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
from pathlib import Path

# What the lab wants of its host: Debian package → a program or file that proves it is there.
# `quorate lab up` checks the same things itself and more; this list exists to install them.
PACKAGES = {
    "mmdebstrap": "mmdebstrap",
    "runc": "runc",
    "iproute2": "ip",
    "nftables": "nft",
    "openssh-client": "ssh",
    "procps": "sysctl",
    "util-linux": "nsenter",
    "mount": "mount",
    "ca-certificates": "/etc/ssl/certs/ca-certificates.crt",
    "debian-archive-keyring": "/usr/share/keyrings/debian-archive-keyring.gpg",
}


# What tests want beside that: it draws report.html.
BROWSER = {"chromium": "chromium"}


def missing_packages(*, browser: bool = False) -> list[str]:
    """Those whose proof is not there; ``browser``: with what only tests want."""
    wide = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])
    return [
        package
        for package, proof in (PACKAGES | (BROWSER if browser else {})).items()
        if not (Path(proof).exists() if "/" in proof else shutil.which(proof, path=wide))
    ]


def chromium() -> str | None:
    """The host's Chromium (Debian package `chromium`), which draws pages in tests; None without."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((found for name in names if (found := shutil.which(name))), None)


def newer_python() -> Path | None:
    """The newest Python ≥ 3.12 on this host, or None. Each is started: a pyenv shim may lie."""
    homes = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    managed = Path.home() / ".local" / "share" / "uv" / "python"
    found = [*homes.glob("3.*/bin/python3"), *managed.glob("*/bin/python3")]
    names = [shutil.which(f"python3.{minor}") for minor in range(12, 20)]
    found += [Path(name) for name in [*names, shutil.which("python3")] if name]
    versions: dict[tuple[int, int], Path] = {}
    for path in found:
        with contextlib.suppress(OSError):
            done = subprocess.run([path, "-V"], capture_output=True, text=True, check=False)
            if match := re.match(r"Python 3\.(\d+)\.(\d+)$", done.stdout.strip()):
                versions[int(match[1]), int(match[2])] = path
    usable = [version for version in versions if version >= (12, 0)]
    return versions[max(usable)] if usable else None
