"""What a node is like, as JSON: run there by residue.py, stdlib only.

Looks at everything that a fault could leave, not at what an undo lists. What changes by itself is
left out here and nowhere else: what pods bring along (links, sandboxes, CNI and service chains),
process ids, packet counters, sessions of people and of ssh.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from collections.abc import Iterable
from operator import itemgetter
from pathlib import Path
from typing import Any

HASH = re.compile(r"[0-9a-f]{12,}|[0-9a-f]{8}(-|\\x2d)[0-9a-f]{4}")
PASSING_UNIT = re.compile(
    r"^(user@|user-runtime-dir@|user-|session-|run-user|ssh@|sshd@|cri-containerd|kubepods|apt-|"
    r"dpkg-|man-db|logrotate|fstrim|e2scrub|systemd-tmpfiles|systemd-timedated|systemd-hostnamed|"
    r"user\.slice|run-containerd|run-netns|var-lib-kubelet-pods|run-r[0-9a-f]+)"
)
PASSING_SERVICE = re.compile(r"(ssh|containerd|systemd-udevd|user@.*)\.service")
PASSING_RUN = re.compile(r"^(containerd|user|systemd|log|netns|nri|flannel|mount|lock)$")
PODS_LINK = re.compile("veth|cni0$")
"""A pod's own, and their bridge, which is made for a node's first pod and has an address then."""
FILES = ("kubernetes", "haproxy", "keepalived", "containerd", "systemd", "cni", "hosts", "nftables")
YOUNG_S = 5.0


def say(*argv: str) -> str:
    """What a command prints; a node without that program says nothing."""
    try:
        return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=20).stdout
    except FileNotFoundError:
        return ""


def ruleset() -> list[str]:
    """nft's rules without counters and handles; none of kube-proxy's and of the pods' links."""
    found = []
    for entry in json.loads(say("nft", "-j", "list", "ruleset") or '{"nftables": []}')["nftables"]:
        ((kind, thing),) = entry.items()
        if kind == "metainfo":
            continue
        name = str(thing.get("chain") or thing.get("name"))
        text = json.dumps(uncounted(thing), sort_keys=True)
        if not (name.startswith(("CNI-", "KUBE-")) or '"CNI-' in text or '"KUBE-' in text):
            found.append(f"{kind} {text}")
    return found


def uncounted(thing: Any) -> Any:
    if isinstance(thing, dict):
        kept = {k: v for k, v in thing.items() if k not in ("handle", "index")}
        return {k: "" if k == "counter" else uncounted(v) for k, v in kept.items()}
    return [uncounted(one) for one in thing] if isinstance(thing, list) else thing


def units() -> list[str]:
    """Every unit that systemd has loaded, with its state."""
    found = []
    units = json.loads(say("systemctl", "list-units", "--all", "--output=json"))
    for name, loaded, active, sub in map(itemgetter("unit", "load", "active", "sub"), units):
        if PASSING_UNIT.match(name) or HASH.search(name) or loaded in ("not-found", "masked"):
            continue
        if name.endswith(".service") and sub == "dead" and not name.startswith("quorate"):
            continue  # loaded only because somebody named it; a daemon that is dead is not listed
        found.append(f"{name} {loaded} {active} {'' if name.endswith('.timer') else sub}".strip())
    states = say("systemctl", "list-unit-files", "--plain", "--no-legend").splitlines()
    return found + [f"file {' '.join(line.split()[:2])}" for line in states]


def processes() -> list[str]:
    """Names of the processes that have been there for a while; those that are stopped, always."""
    found = set()
    now = float(Path("/proc/uptime").read_text().split()[0])
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            stat = (folder / "stat").read_text()
            group = (folder / "cgroup").read_text()
            words = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        name, rest = stat[stat.index("(") + 1 : stat.rindex(")")], stat[stat.rindex(")") + 2 :]
        fields = rest.split()
        if fields[0] in "tT":
            found.add(f"stopped: {name}")
        if "/run/quorate/" in words or "quorate-" in words or "quorate_" in words:
            found.add(f"ours: {words[:120]}")
        service = re.search(r"([a-z-]+\.service)", group)
        old = now - int(fields[19]) / 100 > YOUNG_S
        if service and old and not PASSING_SERVICE.match(service[1]):
            found.add(f"{service[1]}: {name}")
    return sorted(found)


def frozen() -> list[str]:
    """Control groups that are frozen, of both versions."""
    states = [
        *Path("/sys/fs/cgroup/freezer").rglob("freezer.self_freezing"),
        *Path("/sys/fs/cgroup").rglob("cgroup.freeze"),
    ]
    found = []
    for path in states:
        try:
            if path.read_text().strip() == "1":
                found.append(str(path))
        except OSError:
            continue
    return found


def addresses() -> list[str]:
    found = []
    for link in json.loads(say("ip", "-j", "addr") or "[]"):
        name = str(link["ifname"])
        if not PODS_LINK.match(name):
            state = f"{sorted(link['flags'])} mtu {link['mtu']} {link.get('qdisc')}"
            found.append(f"{name} {state} {link.get('address')}")
            found += [
                f"{name} {a['family']} {a['local']}/{a['prefixlen']} {a['scope']}"
                for a in link["addr_info"]
            ]
    lines = say("tc", "qdisc", "show").splitlines()
    return found + [f"tc {line}" for line in lines if not re.search(r"dev (veth|cni0)", line)]


def routes() -> list[str]:
    found = []
    for family in ("-4", "-6"):
        for what in ("route show table all", "rule", "neigh show nud permanent"):
            lines = say("ip", family, *what.split()).splitlines()
            found += [f"{family} {what.split()[0]} {line.strip()}" for line in lines]
    # What the kernel makes for each link by itself, and the pods'.
    return [line for line in found if not re.search("veth|cni0|fe80|ff00::", line)]


def mounts() -> list[str]:
    """Each mount with where it comes from; twice the same is told twice."""
    found = []
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields, _, tail = line.partition(" - ")
        root, target, options = fields.split()[3:6]
        if not re.match(r"/(run/containerd|var/lib/kubelet/pods|run/netns|run/user)", target):
            root = "" if target.endswith("boot_id") else root
            found.append(f"{target} {options} {tail.split()[0]} {root if '/etc' in target else ''}")
    return found


def files() -> dict[str, str]:
    """Hashes of the configuration, read as programs read it: through whatever is mounted there."""
    found = {}
    for name in FILES:
        top = Path("/etc") / name
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            if path.is_file():
                digest = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
                found[str(path)] = f"{path.stat().st_mode:o} {digest}"
    return found


def run_folder() -> list[str]:
    """/run, and all below what could be ours."""
    found = [str(path) for path in Path("/run").iterdir() if not PASSING_RUN.match(path.name)]
    below: Iterable[Path] = Path("/run/quorate").rglob("*")
    transient = [*Path("/run/systemd/transient").glob("*"), *Path("/run/systemd/system").rglob("*")]
    found += [str(path) for path in below]
    named = [str(path) for path in transient if not PASSING_UNIT.match(path.name)]
    return [one for one in found + named if not HASH.search(one)]


def main() -> None:
    looked = {
        "nft": ruleset(),
        "units": units(),
        "timers": [
            line.split()[-2]
            for line in say("systemctl", "list-timers", "--all", "--no-legend").splitlines()
        ],
        "processes": processes(),
        "frozen": frozen(),
        "addresses": addresses(),
        "routes": routes(),
        "mounts": mounts(),
        "files": [f"{path} {state}" for path, state in files().items()],
        "run": run_folder(),
    }
    print(json.dumps({kind: sorted(lines) for kind, lines in looked.items()}))


main()
