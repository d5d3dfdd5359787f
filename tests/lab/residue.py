"""Everything of every node, before and after: what is different was left behind.

Nothing is looked up in an undo or a journal: `look_around.py` lists what there is.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from tests.lab.conftest import Lab

PROGRAM = Path(__file__).with_name("look_around.py")

Snapshot = Mapping[str, Counter[str]]
"""Where and what kind ("cp1 mounts") → each line and how often it is there."""


def snapshot(lab: Lab) -> Snapshot:
    """Look at every node and at what the API holds. AssertionError where one cannot be seen."""
    vip = _vip(lab)
    with ThreadPoolExecutor(2) as pool:
        looked = dict(pool.map(lambda node: (node, _look(lab, node)), sorted(lab.powered())))
    found: dict[str, Counter[str]] = {}
    holders = []
    for node, kinds in looked.items():
        for kind, lines in kinds.items():
            # The VIP may end elsewhere than it began; that one node holds it may not change.
            found[f"{node} {kind}"] = Counter(line for line in lines if vip not in line)
        if any(vip in line for line in kinds["addresses"]):
            holders.append(node)
    found["vip"] = Counter([f"{len(holders)} holder(s)"])
    for node in looked:
        if node.startswith("cp"):
            found[f"{node} haproxy"] = Counter(_servers(lab, node))
    found["api"] = Counter(_objects(lab))
    return found


def differences(before: Snapshot, after: Snapshot) -> list[str]:
    """One line for each thing that is there and was not (+), or was and is not (-)."""
    found = []
    for place in sorted({*before, *after}):
        was, now = before.get(place, Counter()), after.get(place, Counter())
        found += [f"- {place}: {line}" for line in (was - now).elements()]
        found += [f"+ {place}: {line}" for line in (now - was).elements()]
    return found


def _vip(lab: Lab) -> str:
    address: str = yaml.safe_load(lab.cluster.read_text())["virtual_ip"]["address"]
    return address


def _look(lab: Lab, node: str) -> dict[str, list[str]]:
    done = lab.on(node, "python3", "-I", "-c", PROGRAM.read_text())
    assert done.returncode == 0, f"{node}: {done.stderr[-800:]}"
    looked: dict[str, list[str]] = json.loads(done.stdout)
    return looked


def _servers(lab: Lab, node: str) -> list[str]:
    """Each backend with its administrative state and weight, as somebody may have set it."""
    argv = ("sh", "-c", "echo 'show servers state' | socat - /run/haproxy/admin.sock")
    lines = [line.split() for line in lab.on(node, *argv).stdout.splitlines()]
    return [f"{w[1]}/{w[3]} op {w[5]} admin {w[6]} weight {w[7]}" for w in lines if len(w) > 9]


def _objects(lab: Lab) -> list[str]:
    """Taints, cordons and labels of nodes; namespaces, budgets and sizes of workloads; leases,
    ConfigMaps, Secrets and pods of ours."""
    kinds = "nodes,namespaces,deployments,daemonsets,poddisruptionbudgets,leases,configmaps"
    kinds += ",secrets,pods"
    items = json.loads(lab.kubectl("get", kinds, "-A", "-o", "json"))["items"]
    return [line for item in items if (line := _object(item))]


def _object(item: Mapping[str, Any]) -> str:
    """One line for an object; "" for a lease, ConfigMap, Secret or pod that is not ours."""
    kind, name = item["kind"], item["metadata"]["name"]
    if kind == "Node":
        return _node(item)
    if kind == "Lease":
        return f"lease {name}" if "quorate" in name else ""
    if kind in ("ConfigMap", "Secret", "Pod"):
        return f"{kind} {name}" if "quorate" in name else ""
    replicas = item.get("spec", {}).get("replicas", "")
    marks = ",".join(k for k in item["metadata"].get("annotations") or {} if "quorate" in k)
    return f"{kind} {item['metadata'].get('namespace', '')}/{name} {replicas} {marks}"


def _node(item: Mapping[str, Any]) -> str:
    taints = sorted(f"{t['key']}:{t['effect']}" for t in item["spec"].get("taints") or ())
    cordoned = item["spec"].get("unschedulable", False)
    labels = ",".join(sorted(item["metadata"]["labels"]))
    marks = ",".join(sorted(k for k in item["metadata"]["annotations"] if "quorate" in k))
    name = item["metadata"]["name"]
    return f"node {name} taints {taints} cordoned {cordoned} labels {labels} marks {marks}"


class Untouched:
    """What everything was like while nothing was wrong. A test that leaves something behind fails
    alone: what it left is the ground that the next one is compared with."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._before = snapshot(lab)

    def now(self) -> list[str]:
        """What is different at this moment."""
        return differences(self._before, snapshot(self._lab))

    def left(self, *, within_s: float) -> list[str]:
        """What is different now, once controllers had their time to take back their own."""
        deadline = time.monotonic() + within_s
        while left := differences(self._before, now := snapshot(self._lab)):
            if time.monotonic() > deadline:
                self._before = now
                break
            time.sleep(1.0)
        return left
