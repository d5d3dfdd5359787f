"""What this host is and what it lacks: facts for the plan, and the preflight."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

from quorate.harness.errors import Missing, PreflightError
from quorate.harness.lab import parts as resolver
from quorate.harness.lab import rootfs, shell
from quorate.harness.lab.spec import HostFacts, LabSpec

# In the order of their bits (linux/capability.h).
CAPABILITIES = (
    "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID",
    "SETUID", "SETPCAP", "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN",
    "NET_RAW", "IPC_LOCK", "IPC_OWNER", "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE",
    "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE", "SYS_RESOURCE", "SYS_TIME",
    "SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP",
    "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ",
    "PERFMON", "BPF", "CHECKPOINT_RESTORE",
)  # fmt: skip

# Tool -> Debian package that brings it.
TOOLS = {
    "runc": "runc",
    "ip": "iproute2",
    "nsenter": "util-linux",
    "unshare": "util-linux",
    "mount": "mount",
    "sysctl": "procps",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
    "nft": "nftables",
}

# Measured on the reference lab (docs/evidence), with room: memory of a node under load, disk of a
# lab of six and of the cache while it is filled (Go's build cache included).
NODE_MEMORY_MIB = 450
BARE_MEMORY_MIB = 150  # not measured: systemd, sshd, and one member of etcd or a load balancer
LAB_DISK_MIB = 3 * 1024
CACHE_DISK_MIB = 8 * 1024

# inotify instances that systemd, kubelet and containerd open; all nodes share root's limit.
INOTIFY_CONTROL_PLANE = 40
INOTIFY_WORKER = 28
INOTIFY_BARE = 16  # not measured: systemd alone
INOTIFY_KEY = Path("/proc/sys/fs/inotify/max_user_instances")
INOTIFY_ENOUGH = 1024


def facts() -> HostFacts:
    """Measure what the plan has to know of this host."""
    unified = Path("/sys/fs/cgroup/cgroup.controllers").exists()
    config = Path(f"/boot/config-{os.uname().release}")
    devices = []
    for path in ("/dev/kmsg", "/dev/fuse", "/dev/net/tun"):
        if os.path.exists(path):
            number = os.stat(path).st_rdev
            devices.append((path, os.major(number), os.minor(number)))
    return HostFacts(
        cgroup_version=2 if unified else 1,
        systemd=Path("/run/systemd/system").is_dir(),
        capabilities=capabilities(Path("/proc/self/status").read_text()),
        kernel_config=str(config) if config.exists() else None,
        devices=tuple(devices),
    )


def capabilities(status: str) -> tuple[str, ...]:
    """The effective capabilities in a ``/proc/<pid>/status``, as OCI names them."""
    line = next(line for line in status.splitlines() if line.startswith("CapEff:"))
    bits = int(line.split()[1], 16)
    return tuple(f"CAP_{name}" for bit, name in enumerate(CAPABILITIES) if bits >> bit & 1)


def check(spec: LabSpec, home: Path, *, fix_host: bool) -> None:
    """Refuse, before anything is made, a host that cannot carry the lab.

    Raises:
        PreflightError: with all that is missing and what brings each.
    """
    if sys.platform != "linux":
        raise PreflightError([Missing("Linux", "the lab needs Linux namespaces; use a Linux VM")])
    missing = _tools() + _kernel() + _room(spec, home) + _artefacts(spec)
    if not fix_host:
        missing += _inotify(spec)
    if os.geteuid() != 0:
        missing.insert(0, Missing("root", "start it again with sudo, best on a disposable machine"))
    if missing:
        raise PreflightError(missing)


def _tools() -> list[Missing]:
    wanted = dict(TOOLS)
    if not rootfs.root_directory(resolver.cache_directory()).is_dir():
        wanted["mmdebstrap"] = "mmdebstrap"
    return [
        Missing(f"the program {tool}", f"apt-get install {package}")
        for tool, package in wanted.items()
        if shutil.which(tool) is None
    ]


def _kernel() -> list[Missing]:
    if os.geteuid() != 0 or _tools():
        return []  # cannot be tried; said already
    missing = []
    links = "ip link add br0 type bridge && ip link add a0 type veth peer name b0"
    if not shell.succeeds(["unshare", "--net", "sh", "-c", links]):
        missing.append(Missing("bridge and veth devices", "modprobe bridge veth"))
    if not shell.succeeds(["unshare", "--net", "nft", "add", "table", "inet", "quorate"]):
        missing.append(Missing("nf_tables", "modprobe nf_tables"))
    if "\toverlay" not in Path("/proc/filesystems").read_text():
        missing.append(Missing("the overlay file system", "modprobe overlay"))
    bridge = "ip link add br0 type bridge && test -e /proc/sys/net/bridge/bridge-nf-call-iptables"
    if not shell.succeeds(["unshare", "--net", "sh", "-c", bridge]):
        why = "modprobe br_netfilter (without it a pod cannot reach a Service on its own node)"
        missing.append(Missing("br_netfilter", why))
    return missing


def _room(spec: LabSpec, home: Path) -> list[Missing]:
    missing = []
    need = NODE_MEMORY_MIB * spec.kubernetes_machines + BARE_MEMORY_MIB * spec.bare_machines
    have = available_memory_mib(Path("/proc/meminfo").read_text())
    if have < need:
        remedy = "fewer nodes (--control-planes 1 --workers 1) or a larger machine"
        missing.append(Missing(f"memory: {need} MiB needed, {have} available", remedy))
    cache = resolver.cache_directory()
    filled = rootfs.root_directory(cache).is_dir()
    for path, need in ((home, LAB_DISK_MIB), (cache, 0 if filled else CACHE_DISK_MIB)):
        have = shutil.disk_usage(_existing(path)).free >> 20
        if have < need:
            remedy = "free some, or set QUORATE_STATE / QUORATE_CACHE to another disk"
            missing.append(Missing(f"disk for {path}: {need} MiB needed, {have} free", remedy))
    return missing


def available_memory_mib(meminfo: str) -> int:
    line = next(line for line in meminfo.splitlines() if line.startswith("MemAvailable:"))
    return int(line.split()[1]) >> 10


def _existing(path: Path) -> Path:
    return next(each for each in (path, *path.parents) if each.exists())


def _artefacts(spec: LabSpec) -> list[Missing]:
    cache = resolver.cache_directory()
    wanted = resolver.parts(spec.versions, resolver.machine_arch())
    absent = [part for part in wanted if resolver.cached(part, cache) is None]
    if not absent or resolver.reachable(absent[0]) or not (problem := resolver.go_problem()):
        return []
    what = f"{', '.join(part.directory for part in absent)} (not in {cache})"
    return [Missing(what, f"the official releases cannot be reached from here, and {problem}")]


def inotify_needed(spec: LabSpec) -> int:
    nodes = INOTIFY_CONTROL_PLANE * spec.control_planes + INOTIFY_WORKER * spec.workers
    return nodes + INOTIFY_BARE * spec.bare_machines


def _inotify(spec: LabSpec) -> list[Missing]:
    need, have = inotify_needed(spec), int(INOTIFY_KEY.read_text())
    if have >= need:
        return []
    remedy = (
        f"sysctl -w fs.inotify.max_user_instances={INOTIFY_ENOUGH}, or give --fix-host: "
        "then the lab sets it and puts it back when it stops"
    )
    return [Missing(f"inotify instances: {need} needed, {have} allowed", remedy)]


def raise_limits(spec: LabSpec, record: Path) -> None:
    """Let all nodes have their inotify instances; what was allowed before is written down first."""
    have = int(INOTIFY_KEY.read_text())
    if have >= inotify_needed(spec):
        return
    if not record.exists():
        record.write_text(json.dumps({str(INOTIFY_KEY): have}) + "\n")
    INOTIFY_KEY.write_text(str(INOTIFY_ENOUGH))


def put_back_limits(record: Path) -> None:
    """Undo ``raise_limits``; nothing happens if nothing was raised."""
    if record.exists():
        for key, value in json.loads(record.read_text()).items():
            Path(key).write_text(str(value))
        record.unlink()
