"""What a lab must leave alone on its host, as sets of lines that are compared before and after.

Only what can belong to a lab is looked at: counters, and what any busy host changes by itself, are
left out, each with its reason.
"""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

# Kernel counters and random values, and one limit that the kernel itself lowers under load.
VOLATILE = re.compile(
    r"^(fs\.(dentry-state|file-nr|inode-nr|inode-state|aio-nr|quota\.)|kernel\.(random\.|ns_last_pid|"
    r"pty\.nr|perf_event_max_sample_rate)|net\.netfilter\.nf_conntrack_count|vm\.stat_refresh)"
)
CLOCK_SLACK_S = (
    1.0  # a host's own time service may slew this much in an hour; a fault would step more
)

# The host's own processes and their cgroups end when they like; only what came is of interest.
BUSY = ("process in a namespace of its own", "cgroup")

PATIENCE_S = 15.0

Snapshot = Mapping[str, frozenset[str]]


def snapshot() -> Snapshot:
    """Everything at this moment; needs root. Keys say what it is, lines are for people."""
    return {
        "mount": frozenset(_mounts(Path("/proc/self/mountinfo").read_text())),
        "cgroup": frozenset(_cgroups()),
        "process in a namespace of its own": frozenset(_foreign_processes()),
        "network namespace": _lines("ip", "netns", "list"),
        "network link": frozenset(_links(_text("ip", "-o", "link"))),
        "route": _lines("ip", "route", "show", "table", "all"),
        "firewall rule": _lines("nft", "list", "ruleset"),
        "sysctl": frozenset(_settings(_text("sysctl", "-a"))),
        "clock": frozenset({f"{time.time() - time.monotonic():.3f}"}),
    }


def remaining(before: Snapshot) -> list[str]:
    """What is different now from before, once the dying have had time to die: a process that was
    killed a moment ago is seen, without a command line, until the kernel has taken it apart."""
    deadline = time.monotonic() + PATIENCE_S
    while (left := differences(before, snapshot())) and time.monotonic() < deadline:
        time.sleep(0.5)
    return left


def differences(before: Snapshot, after: Snapshot) -> list[str]:
    """One line for each thing that came, went or changed. A setting that a loaded module brought
    is new, not changed, and therefore none."""
    found = []
    for kind in before:
        if kind == "clock":
            (then,), (now,) = before[kind], after[kind]
            if abs(float(now) - float(then)) > CLOCK_SLACK_S:
                found.append(f"clock: stepped by {float(now) - float(then):.3f} s")
            continue
        gone, new = before[kind] - after[kind], after[kind] - before[kind]
        if kind == "sysctl":
            known = {line.split(" = ")[0] for line in before[kind]}
            new = frozenset(line for line in new if line.split(" = ")[0] in known)
        if kind not in BUSY:
            found += [f"{kind}: gone: {line}" for line in sorted(gone)]
        found += [f"{kind}: new: {line}" for line in sorted(new)]
    return found


def _text(*argv: str) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout


def _lines(*argv: str) -> frozenset[str]:
    return frozenset(line.strip() for line in _text(*argv).splitlines() if line.strip())


def _settings(text: str) -> set[str]:
    return {line for line in text.splitlines() if " = " in line and not VOLATILE.match(line)}


def _mounts(mountinfo: str) -> set[str]:
    """Mount point and type; ids change by themselves (proc(5): field 5 is the mount point)."""
    lines = [line.split() for line in mountinfo.splitlines()]
    return {f"{words[4]} {words[words.index('-') + 1]}" for words in lines}


def _links(text: str) -> set[str]:
    """Names only: indices and counters change by themselves."""
    return {line.split(": ")[1].split("@")[0] for line in text.splitlines() if ": " in line}


def _cgroups() -> set[str]:
    """Every cgroup but those of login sessions, user units and timers, which come and go."""
    transient = re.compile(r"/(user\.slice|init\.scope|system\.slice/[^/]+\.(service|scope|mount))")
    names = {root for root, _, _ in os.walk("/sys/fs/cgroup")}
    return {name for name in names if not transient.search(name)}


def _foreign_processes() -> set[str]:
    """Processes that live in another pid, mount or network namespace than this one."""
    kinds = ("pid", "mnt", "net")
    ours = {kind: os.readlink(f"/proc/self/ns/{kind}") for kind in kinds}
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if any(os.readlink(folder / "ns" / kind) != ours[kind] for kind in kinds):
                words = (
                    (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                )
                found.add(f"{folder.name} {words.strip()[:120]}")
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue  # ended meanwhile
    return found
