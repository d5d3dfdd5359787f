"""The root file system that all nodes share, and the layer of programs above it.

Both are built once and cached by the hash of their recipe; a change of the recipe makes a new one
beside the old.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from quorate.harness.lab import parts as resolver
from quorate.harness.lab import shell

SUITE = "bookworm"

PACKAGES = (
    "systemd", "systemd-sysv", "dbus", "iproute2", "iputils-ping", "haproxy", "keepalived",
    "nftables", "iptables", "conntrack", "ipset", "socat", "ethtool", "runc", "openssh-server",
    "ca-certificates", "kmod", "procps", "curl", "util-linux", "mount", "tcpdump", "psmisc",
    "python3", "catatonit", "busybox-static", "nginx", "libnginx-mod-stream", "sudo",
)  # fmt: skip

DPKG_OPTIONS = (
    "path-exclude=/usr/share/doc/*",
    "path-exclude=/usr/share/man/*",
    "path-exclude=/usr/share/locale/*",
)

CNI_PROGRAMS = ("bridge", "loopback", "host-local", "portmap")
NODE_PROGRAMS = (
    "containerd", "containerd-shim-runc-v2", "ctr", "kubeadm", "kubectl", "kubelet", "etcdctl",
    "etcdutl",
)  # fmt: skip
BARE_PROGRAMS = ("etcd", "etcdctl", "etcdutl")
"""Where no kubelet runs. No ctr: quorate would ask it for containers."""


def recipe() -> list[str]:
    """The command that builds the root file system, less its target."""
    command = ["mmdebstrap", "--variant=minbase", "--mode=root", "--skip=output/dev"]
    command += [f"--dpkgopt={option}" for option in DPKG_OPTIONS]
    return [*command, f"--include={','.join(PACKAGES)}", SUITE]


def digest(value: object) -> str:
    """A short name for a recipe."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def root_directory(cache: Path) -> Path:
    return cache / "rootfs" / f"{SUITE}-{digest(recipe())}"


def build_root(cache: Path, progress: shell.Progress) -> Path:
    """The shared root file system, built by mmdebstrap if it is not cached.

    Raises:
        LabError: mmdebstrap failed; the message holds the end of its output.
    """

    def make(staging: Path) -> None:
        with progress.step(f"root file system of the nodes (Debian {SUITE})"):
            shell.run([*recipe(), str(staging)], timeout_s=1800.0)
            _strip(staging)

    return resolver.made_once(root_directory(cache), make, progress)


def _strip(root: Path) -> None:
    """Remove what no node needs, and every trace that would make two nodes the same machine."""
    for path in ("var/cache/apt", "var/lib/apt/lists", "usr/share/i18n"):
        shutil.rmtree(root / path, ignore_errors=True)
    for key in (root / "etc/ssh").glob("ssh_host_*"):
        key.unlink()
    for name in ("etc/machine-id", "etc/hostname", "etc/resolv.conf"):
        (root / name).unlink(missing_ok=True)
    for wants in ("multi-user.target.wants", "timers.target.wants"):
        shutil.rmtree(root / "etc/systemd/system" / wants, ignore_errors=True)


def build_layer(cache: Path, bins: Mapping[str, Path], progress: shell.Progress) -> Path:
    """The directory that lies over the root file system and holds the programs, hard-linked."""
    wanted = {f"usr/local/bin/{name}": bins[name] for name in NODE_PROGRAMS}
    wanted |= {f"opt/cni/bin/{name}": bins[name] for name in CNI_PROGRAMS}
    return _linked(cache, wanted, progress)


def build_bare_layer(cache: Path, bins: Mapping[str, Path], progress: shell.Progress) -> Path:
    """The same for machines without a kubelet."""
    wanted = {f"usr/local/bin/{name}": bins[name] for name in BARE_PROGRAMS}
    return _linked(cache, wanted, progress)


def _linked(cache: Path, wanted: Mapping[str, Path], progress: shell.Progress) -> Path:
    layer = cache / "layers" / digest({key: str(path) for key, path in wanted.items()})

    def make(staging: Path) -> None:
        for target, source in wanted.items():
            (staging / target).parent.mkdir(parents=True, exist_ok=True)
            os.link(source, staging / target)

    return resolver.made_once(layer, make, progress)
