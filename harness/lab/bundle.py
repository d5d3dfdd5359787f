"""A node's OCI bundle: from the plan and the facts of the host to ``config.json``. Pure."""

from __future__ import annotations

from pathlib import Path

from quorate.harness.lab.plan import LabPlan, NodePlan, cgroup_path
from quorate.harness.lab.spec import HostFacts

# Nodes share the host's kernel: what would change it for everybody is not handed on.
WITHHELD_CAPABILITIES = frozenset(
    {"CAP_SYS_TIME", "CAP_SYS_BOOT", "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_WAKE_ALARM",
     "CAP_BLOCK_SUSPEND", "CAP_MAC_ADMIN", "CAP_MAC_OVERRIDE"}
)  # fmt: skip

CAPABILITY_SETS = ("bounding", "effective", "inheritable", "permitted")

MASKED_PATHS = (
    "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list", "/proc/sched_debug",
    "/proc/scsi", "/proc/acpi", "/sys/firmware", "/sys/kernel/debug", "/sys/kernel/tracing",
    "/sys/kernel/config", "/sys/power",
)  # fmt: skip

# /proc/sys/net stays writable: it is per network namespace. sysrq-trigger is read-only and not
# masked: a masked file swallows a write in silence, a read-only one refuses it.
READONLY_PATHS = (
    "/proc/sys/kernel", "/proc/sys/vm", "/proc/sys/fs", "/proc/sys/dev", "/proc/sys/debug",
    "/proc/sys/abi", "/proc/sys/user", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus", "/proc/fs",
)  # fmt: skip

BOOT_HOOK = "/usr/local/sbin/quorate-boot"


def _mounts(home: Path, facts: HostFacts) -> list[dict[str, object]]:
    def tmpfs(target: str, *options: str) -> dict[str, object]:
        return {"destination": target, "type": "tmpfs", "source": "tmpfs", "options": list(options)}

    mounts: list[dict[str, object]] = [
        {"destination": "/proc", "type": "proc", "source": "proc"},
        tmpfs("/dev", "nosuid", "mode=755"),
        {"destination": "/dev/pts", "type": "devpts", "source": "devpts",
         "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]},
        tmpfs("/dev/shm", "nosuid", "nodev", "mode=1777"),
        {"destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue"},
        {"destination": "/sys", "type": "sysfs", "source": "sysfs",
         "options": ["nosuid", "noexec", "nodev"]},
        {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup",
         "options": ["nosuid", "noexec", "nodev", "relatime", "rw"]},
        tmpfs("/run", "nosuid", "nodev", "mode=755"),
        tmpfs("/tmp", "nosuid", "nodev", "mode=1777"),
    ]  # fmt: skip
    # An overlay's upper directory cannot lie on an overlay, so these come from a plain file system.
    # The order of the options matters: without rprivate first, kubelet's mounts appear on a host
    # whose / is a shared mount and stay there after a power-off.
    own = ["rbind", "rw", "rprivate", "rshared"]
    mounts += [
        {"destination": f"/var/lib/{name}", "type": "bind", "source": str(home / "data" / name),
         "options": own}
        for name in ("containerd", "kubelet", "etcd")
    ]  # fmt: skip
    if facts.kernel_config:
        mounts.append(
            {"destination": facts.kernel_config, "type": "bind", "source": facts.kernel_config,
             "options": ["bind", "ro", "rprivate"]}
        )  # fmt: skip
    return mounts


def config(plan: LabPlan, node: NodePlan, facts: HostFacts) -> dict[str, object]:
    """The runtime configuration (OCI 1.0.2) of one node; its root is ``<node home>/root``."""
    home = plan.node_home(node.name)
    granted = [c for c in facts.capabilities if c not in WITHHELD_CAPABILITIES]
    resources: dict[str, object] = {"devices": [{"allow": True, "access": "rwm"}]}
    if facts.cgroup_version == 2:
        resources["pids"] = {"limit": -1}  # runc's systemd driver would set a limit of its own
    namespaces: list[dict[str, str]] = [{"type": kind} for kind in ("pid", "mount", "uts", "ipc")]
    namespaces.append({"type": "cgroup"})
    namespaces.append({"type": "network", "path": str(plan.namespace(node.name))})
    return {
        "ociVersion": "1.0.2",
        "hostname": node.name,
        "process": {
            "terminal": False,
            "user": {"uid": 0, "gid": 0},
            "args": ["/sbin/init"],
            "cwd": "/",
            "env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                    "container=oci", "TERM=dumb"],
            "capabilities": dict.fromkeys(CAPABILITY_SETS, granted),
            "noNewPrivileges": False,
        },
        "root": {"path": str(home / "root"), "readonly": False},
        "mounts": _mounts(home, facts),
        "hooks": {"startContainer": [{"path": BOOT_HOOK}]},
        "linux": {
            "namespaces": namespaces,
            "devices": [
                {"path": path, "type": "c", "major": major, "minor": minor, "fileMode": 0o666,
                 "uid": 0, "gid": 0}
                for path, major, minor in facts.devices
            ],
            "resources": resources,
            "cgroupsPath": cgroup_path(plan, node.name, systemd=facts.systemd_cgroups),
            "rootfsPropagation": "rshared",
            "maskedPaths": list(MASKED_PATHS),
            "readonlyPaths": list(READONLY_PATHS),
        },
    }  # fmt: skip
