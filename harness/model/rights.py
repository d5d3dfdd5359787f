"""Every right at the Kubernetes API that quorate makes use of, and what for: the one table.

The manifests, the look at the beginning of a run and the words of a refusal are made of it; tests
hold it against what the code asks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from quorate.harness.model import service
from quorate.harness.model.access import Access

if TYPE_CHECKING:
    from quorate.harness.model.experiment import Experiment

Part = Literal["probes", "pods", "faults"]
PARTS: tuple[Part, ...] = get_args(Part)
BY_POWER: tuple[Part, ...] = ("probes", "faults", "pods")
"""Whoever may make pods in kube-system can become root."""

SYSTEM = "kube-system"
LEASE_NAME = "quorate-run"
"""By which one run at a time has the cluster."""

POD_VANTAGE = "from: pod:…"
TAKING_OVER = "an expired Lease of a run elsewhere"
_SERVICE = (
    "service_deployed",
    "one_replica",
    "pdb_zero",
    "replicas_on_one_node",
    "service_without_pre_stop",
)
_ROLLED_OUT = tuple(name for name in _SERVICE if name != "pdb_zero")


WEBHOOK = "quorate-webhook"
"""Namespace, Service, Deployment and configuration of drivers/webhook.py."""


@dataclass(frozen=True)
class Right:
    """`part`: the manifest that grants it. `resource` beginning with `/`: a path, no resource.

    namespace: "" for the whole cluster. names: the only objects that are meant; empty for any.
    needed_by: faults, arrangements, and the words above; empty: each run.
    """

    part: Part
    verbs: tuple[str, ...]
    group: str
    resource: str
    why: str
    namespace: str = ""
    names: tuple[str, ...] = ()
    needed_by: tuple[str, ...] = ()

    def grants(self, asked: Access) -> bool:
        """Whether it is what is asked for, or holds it."""
        name = asked.name.partition(":")[0] if asked.resource.endswith("/proxy") else asked.name
        return (
            asked.verb in self.verbs
            and (asked.group, asked.resource) == (self.group, self.resource)
            and self.namespace in ("", asked.namespace)
            and (not self.names or name in self.names)
        )

    def accesses(self) -> Iterator[Access]:
        """One for each verb and name."""
        for verb in self.verbs:
            for name in self.names or ("",):
                yield Access(verb, self.group, self.resource, self.namespace, name)


RIGHTS: tuple[Right, ...] = (
    Right("probes", ("get",), "", "/readyz", "is this API server ready?"),
    Right("probes", ("get",), "", "/version", "the version that a verdict holds for"),
    Right(
        "probes",
        ("create",),
        "authorization.k8s.io",
        "selfsubjectaccessreviews",
        "which of these rights are there, before anything is touched",
    ),
    Right(
        "probes",
        ("create",),
        "authentication.k8s.io",
        "selfsubjectreviews",
        "whose rights they are, for a refusal's words",
    ),
    Right("probes", ("list", "watch"), "", "nodes", "which nodes are ready, cordoned or tainted"),
    Right(
        "probes",
        ("list", "watch"),
        "",
        "pods",
        "where pods run, end and come back; targets worker:running=…; what a drain would move",
    ),
    Right(
        "probes",
        ("list", "watch"),
        "discovery.k8s.io",
        "endpointslices",
        "whom services send to, while pods come and go",
    ),
    Right(
        "probes",
        ("list",),
        "policy",
        "poddisruptionbudgets",
        "what budgets let a drain do, and what it should take",
    ),
    Right(
        "probes",
        ("get",),
        "",
        "services",
        "the address behind path kubernetes",
        namespace="default",
        names=("kubernetes",),
        needed_by=("path: kubernetes",),
    ),
    Right(
        "probes",
        ("get",),
        "",
        "services",
        "the address behind path dns",
        namespace=SYSTEM,
        names=("kube-dns",),
        needed_by=("path: dns",),
    ),
    Right(
        "probes",
        ("get",),
        "",
        "services",
        "the address behind path cluster-ip",
        names=(service.NAME,),
        needed_by=("path: cluster-ip",),
    ),
    Right(
        "probes",
        ("get", "list", "watch", "create", "update", "delete"),
        "",
        "configmaps",
        "the ledger of writes (a run makes its registers there and removes them), kubeadm-config",
        namespace=SYSTEM,
    ),
    Right(
        "probes",
        ("get",),
        "coordination.k8s.io",
        "leases",
        "who leads, and whose run it is",
        namespace=SYSTEM,
        names=(LEASE_NAME, "kube-controller-manager", "kube-scheduler"),
    ),
    Right(
        "probes",
        ("create",),
        "coordination.k8s.io",
        "leases",
        "one run at a time (RBAC cannot bind the making of an object to a name)",
        namespace=SYSTEM,
    ),
    Right(
        "probes",
        ("delete",),
        "coordination.k8s.io",
        "leases",
        "the run is over",
        namespace=SYSTEM,
        names=(LEASE_NAME,),
    ),
    Right(
        "probes",
        ("list",),
        "",
        "namespaces",
        "has a run that died elsewhere left anything?",
        needed_by=(TAKING_OVER,),
    ),
    Right(
        "probes",
        ("list",),
        "admissionregistration.k8s.io",
        "validatingwebhookconfigurations",
        "has a run that died elsewhere left anything?",
        needed_by=(TAKING_OVER,),
    ),
    Right(
        "probes",
        ("list",),
        "apps",
        "deployments",
        "has a run that died elsewhere left anything?",
        namespace=SYSTEM,
        needed_by=(TAKING_OVER,),
    ),
    Right(
        "pods",
        ("get",),
        "",
        "nodes",
        "is there a node of that name?",
        needed_by=(POD_VANTAGE,),
    ),
    Right(
        "pods",
        ("get", "create", "delete"),
        "",
        "pods",
        "the sampler's pod",
        namespace=SYSTEM,
        needed_by=(POD_VANTAGE,),
    ),
    Right(
        "pods",
        ("get",),
        "",
        "pods/proxy",
        "the way to the sampler in it",
        namespace=SYSTEM,
        needed_by=(POD_VANTAGE,),
    ),
    Right(
        "pods",
        ("list", "create", "delete"),
        "",
        "secrets",
        "what it is told, credentials among it; also: has a run that died elsewhere left any?",
        namespace=SYSTEM,
        needed_by=(POD_VANTAGE,),
    ),
    Right(
        "faults",
        ("get", "patch"),
        "",
        "nodes",
        "cordon, its mark, and the way back",
        needed_by=("worker_drain",),
    ),
    Right(
        "faults",
        ("create",),
        "",
        "pods/eviction",
        "a drain: wherever pods of that node are",
        needed_by=("worker_drain",),
    ),
    Right(
        "faults",
        ("list",),
        "",
        "events",
        "did kubelet notice the cordon?",
        namespace="default",
        needed_by=("worker_drain",),
    ),
    Right(
        "faults",
        ("get", "patch"),
        "apps",
        "deployments",
        "one replica of CoreDNS, and as many as before",
        namespace=SYSTEM,
        names=("coredns",),
        needed_by=("one_coredns",),
    ),
    Right(
        "faults",
        ("get", "create", "patch", "delete"),
        "",
        "namespaces",
        "the service under watch, made and removed",
        names=(service.NAMESPACE,),
        needed_by=("service_deployed",),
    ),
    Right(
        "faults",
        ("create", "patch"),
        "",
        "services",
        "the service under watch",
        names=(service.NAME,),
        needed_by=("service_deployed",),
    ),
    Right(
        "faults",
        ("get", "patch"),
        "apps",
        "deployments",
        "the service under watch, and what makes it worse",
        names=(service.NAME,),
        needed_by=_ROLLED_OUT,
    ),
    Right(
        "faults",
        ("create",),
        "apps",
        "deployments",
        "the service under watch",
        names=(service.NAME,),
        needed_by=("service_deployed",),
    ),
    Right(
        "faults",
        ("patch",),
        "policy",
        "poddisruptionbudgets",
        "its budget, and one that allows nothing",
        names=(service.NAME,),
        needed_by=("service_deployed", "pdb_zero"),
    ),
    Right(
        "faults",
        ("get",),
        "policy",
        "poddisruptionbudgets",
        "a budget that allows nothing",
        names=(service.NAME,),
        needed_by=("pdb_zero",),
    ),
    Right(
        "faults",
        ("create",),
        "policy",
        "poddisruptionbudgets",
        "its budget",
        names=(service.NAME,),
        needed_by=("service_deployed",),
    ),
    *(
        Right(
            "faults",
            verbs,
            group,
            resource,
            "a webhook of ours",
            namespace=namespace,
            names=(WEBHOOK,),
            needed_by=("webhook_of_one_replica",),
        )
        for verbs, group, resource, namespace in (
            (("get", "create", "patch", "delete"), "", "namespaces", ""),
            # In the whole cluster, by name: its namespace is not there before.
            (("create", "patch"), "", "services", ""),
            (("get", "create", "patch"), "apps", "deployments", ""),
            (
                ("get", "create", "patch", "delete"),
                "admissionregistration.k8s.io",
                "validatingwebhookconfigurations",
                "",
            ),
        )
    ),
)


def needed(experiment: Experiment) -> tuple[Right, ...]:
    """What a run of the experiment cannot do without."""
    words = {
        *(step.func for step in experiment.faults),
        *(one.name for one in experiment.given),
        *(f"path: {(spec.path or '').partition(':')[0]}" for spec in experiment.probes.values()),
    }
    if any(word.startswith("pod:") for word in experiment.vantages):
        words.add(POD_VANTAGE)
    return tuple(one for one in RIGHTS if not one.needed_by or words & set(one.needed_by))


def granting(asked: Access) -> Part | None:
    """The manifest that grants it, and of several the one that lets one do less besides; None for
    what no code of ours asks."""
    parts = {one.part for one in RIGHTS if one.grants(asked)}
    return next((one for one in BY_POWER if one in parts), None)
