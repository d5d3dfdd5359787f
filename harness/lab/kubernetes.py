"""From booted machines to a cluster that is whole: kubeadm, then waiting for what has to stand."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from quorate.harness.errors import LabError
from quorate.harness.lab import network, node, shell, state
from quorate.harness.lab.files import bare_units
from quorate.harness.lab.plan import API_PORT, METRICS_URL, LabPlan, NodePlan
from quorate.harness.undo.durable import replace_text

CONFIG = "/etc/kubernetes/quorate-kubeadm.yaml"
KUBEADM_TIMEOUT_S = 300.0
WHOLE_TIMEOUT_S = 240.0


def build(plan: LabPlan, progress: shell.Progress) -> None:
    """Make a cluster of machines that have just booted for the first time.

    Raises:
        LabError: kubeadm failed on a node, or the cluster did not become whole in time.
    """
    first, *others = plan.control_planes
    with progress.step("containerd on every node"):
        _each(plan.kubernetes_nodes, lambda each: _await_containerd(plan, each))
    if plan.spec.members:
        with progress.step(f"etcd on {len(plan.members)} machines of its own"):
            _each(plan.members, lambda each: _await_member(plan, each))
    with progress.step(f"kubeadm init on {first.name}"):
        _kubeadm(plan, first, "init", "--upload-certs")
    save_kubeconfig(plan)
    with progress.step(f"{len(others)} control planes and {len(plan.workers)} workers join"):
        _join(plan, others)
    # Both CoreDNS pods were made when there was one node only: spread them.
    kubectl(plan, "-n", "kube-system", "rollout", "restart", "deployment/coredns")


def _join(plan: LabPlan, control_planes: Sequence[NodePlan]) -> None:
    """Workers join at once; control planes one by one, because etcd takes one learner at a time."""

    def in_turn(nodes: Sequence[NodePlan]) -> None:
        for each in nodes:
            _kubeadm(plan, each, "join")

    with ThreadPoolExecutor(1 + len(plan.workers)) as pool:
        list(pool.map(in_turn, [control_planes, *((each,) for each in plan.workers)]))


def _each(nodes: tuple[NodePlan, ...], work: Callable[[NodePlan], None]) -> None:
    with ThreadPoolExecutor(len(nodes)) as pool:
        list(pool.map(work, nodes))


def _await_containerd(plan: LabPlan, each: NodePlan) -> None:
    def answers() -> bool:
        return shell.succeeds(node.console(plan, each.name, ["ctr", "version"]))

    shell.await_true(f"containerd on {each.name}", answers, timeout_s=60.0)


def _await_member(plan: LabPlan, each: NodePlan) -> None:
    def healthy() -> bool:
        ask = ["curl", "-sf", "-o", "/dev/null", "-m", "2", f"{METRICS_URL}/health"]
        return shell.succeeds(node.console(plan, each.name, ask))

    shell.await_true(f"etcd on {each.name}", healthy, timeout_s=60.0)


def _kubeadm(plan: LabPlan, each: NodePlan, *words: str) -> None:
    verb, *options = words
    node.run(
        plan,
        each.name,
        ["kubeadm", verb, "--config", CONFIG, *options],
        timeout_s=KUBEADM_TIMEOUT_S,
    )


def save_kubeconfig(plan: LabPlan) -> None:
    """Copy the administrator's kubeconfig of the first control plane beside cluster.yaml."""
    text = node.run(plan, plan.control_planes[0].name, ["cat", "/etc/kubernetes/admin.conf"])
    replace_text(plan.home / "kubeconfig", text)


def kubectl_command(plan: LabPlan, *words: str) -> list[str]:
    """kubectl as the client of the lab sees the cluster: through the VIP."""
    namespace = f"--net={plan.namespace(network.CLIENT)}"
    kubeconfig = f"--kubeconfig={plan.home / 'kubeconfig'}"
    return ["nsenter", namespace, str(_kubectl(plan)), kubeconfig, *words]


def _kubectl(plan: LabPlan) -> Path:
    return state.load(plan.spec.name).lower[0] / "usr/local/bin/kubectl"


def kubectl(plan: LabPlan, *words: str, timeout_s: float = 30.0) -> str:
    return shell.run(kubectl_command(plan, *words), timeout_s=timeout_s)


def await_whole(plan: LabPlan, since: datetime.datetime) -> None:
    """Wait until every API server, node and pod is good, by what was reported after ``since``.

    Old reports do not count: after a power cut of everything, etcd still says that all is well.

    Raises:
        LabError: naming what is still missing.
    """
    missing = ["everything"]

    def whole() -> bool:
        missing[:] = lacking(plan, since)
        return not missing

    try:
        shell.await_true("whole", whole, timeout_s=WHOLE_TIMEOUT_S, interval_s=0.5)
    except LabError as error:
        raise LabError(f"the cluster is not whole: {', '.join(missing)}") from error


def lacking(plan: LabPlan, since: datetime.datetime) -> list[str]:
    """What a whole cluster would have and this one has not (yet)."""
    try:
        objects = json.loads(
            kubectl(plan, "get", "nodes,pods,leases.coordination.k8s.io", "-A", "-o", "json",
                    "--request-timeout=5s", timeout_s=10.0)
        )["items"]  # fmt: skip
    except LabError:
        return ["the API at the VIP"]
    nodes = plan.kubernetes_nodes
    missing = [f"node {each.name}" for each in nodes if not _fresh(objects, each.name, since)]
    pods = [item for item in objects if item["kind"] == "Pod"]
    static = 3 if plan.spec.members else 4
    expected = static * len(plan.control_planes) + len(nodes) + 2
    if len(pods) < expected:
        missing.append(f"{expected - len(pods)} pods")
    missing += [f"pod {item['metadata']['name']}" for item in pods if not _serving(item, since)]
    for each in plan.control_planes:
        readyz = f"--server=https://{each.address}:{API_PORT}"
        ask = kubectl_command(plan, "get", "--raw", "/readyz", readyz, "--request-timeout=2s")
        if not missing and not shell.succeeds(ask):
            missing.append(f"API server of {each.name}")
    return missing or _idle(plan)


def _idle(plan: LabPlan) -> list[str]:
    """Units that do not run on machines of which Kubernetes knows nothing."""
    return [
        f"{unit} on {each.name}"
        for each in plan.nodes
        if not each.has_kubelet
        for unit in bare_units(plan, each)
        if not shell.succeeds(node.console(plan, each.name, ["systemctl", "is-active", unit]))
    ]


def _time(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def _fresh(objects: list[Any], name: str, since: datetime.datetime) -> bool:
    """Whether the node is Ready and its kubelet renewed its lease after ``since``."""
    ready = renewed = False
    for item in objects:
        if item["metadata"]["name"] != name:
            continue
        if item["kind"] == "Node":
            conditions = item["status"].get("conditions", [])
            ready = any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
        if item["kind"] == "Lease" and item["metadata"]["namespace"] == "kube-node-lease":
            renewed = _time(item["spec"]["renewTime"]) > since
    return ready and renewed


def _serving(pod: Any, since: datetime.datetime) -> bool:
    """Whether every container of the pod is ready and was started after ``since``."""
    statuses = pod["status"].get("containerStatuses", [])
    return bool(statuses) and all(
        status["ready"]
        and "running" in status["state"]
        and _time(status["state"]["running"]["startedAt"]) >= since
        for status in statuses
    )
