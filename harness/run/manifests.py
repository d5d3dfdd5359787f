"""RBAC manifests, made of the table of rights: what is applied is what the code asks, no more."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

import yaml

from quorate.harness.model.rights import RIGHTS, SYSTEM, Part, Right

ACCOUNT = "quorate"
"""The ServiceAccount in kube-system that is bound."""

API = "rbac.authorization.k8s.io"

ABOUT: dict[Part, str] = {
    "probes": "Every run, `plan` and the probes: reads the cluster, keeps a ledger in kube-system.",
    "pods": "Probes `from: pod:…`, besides. Whoever may make pods in kube-system can become root.",
    "faults": "worker_drain, and arrangements that deploy or change objects, besides.",
}


def manifest(part: Part) -> str:
    """The YAML that grants one part, each rule with its reason."""
    head = f"# {ABOUT[part]}\n# Made by `quorate rights --{part}`; each rule says what it is for.\n"
    return head + "".join(f"---\n{_text(one, rights)}" for one, rights in _objects(part))


def _objects(part: Part) -> list[tuple[dict[str, Any], list[Right]]]:
    """Each object, with the rights that its rules stand for."""
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": _meta(ACCOUNT, SYSTEM)}
    rights = sorted((one for one in RIGHTS if one.part == part), key=lambda one: one.namespace)
    found: list[tuple[dict[str, Any], list[Right]]] = [(account, [])]
    for namespace, grouped in groupby(rights, key=lambda one: one.namespace):
        of_it = list(grouped)
        kind = "Role" if namespace else "ClusterRole"
        meta = _meta(f"quorate-{part}", namespace)
        role = {"apiVersion": f"{API}/v1", "kind": kind, "metadata": meta, "rules": []}
        binding = {
            "apiVersion": f"{API}/v1",
            "kind": f"{kind}Binding",
            "metadata": meta,
            "roleRef": {"apiGroup": API, "kind": kind, "name": meta["name"]},
            "subjects": [{"kind": "ServiceAccount", "name": ACCOUNT, "namespace": SYSTEM}],
        }
        found += [(role, of_it), (binding, [])]
    return found


def _meta(name: str, namespace: str) -> dict[str, str]:
    return {"name": name, **({"namespace": namespace} if namespace else {})}


def _text(thing: dict[str, Any], rights: Sequence[Right]) -> str:
    """YAML by hand for the rules alone: a dumper keeps no comments."""
    if not rights:
        return yaml.safe_dump(thing, sort_keys=False)
    head = yaml.safe_dump({k: v for k, v in thing.items() if k != "rules"}, sort_keys=False)
    return f"{head}rules:\n" + "".join(_rule(one) for one in rights)


def _rule(right: Right) -> str:
    needs = f" ({', '.join(right.needed_by)})" if right.needed_by else ""
    if right.resource.startswith("/"):
        fields = {"nonResourceURLs": [right.resource]}
    else:
        fields = {"apiGroups": [right.group], "resources": [right.resource]}
        fields |= {"resourceNames": list(right.names)} if right.names else {}
    fields["verbs"] = list(right.verbs)
    lines = [f"{key}: {_flow(words)}\n" for key, words in fields.items()]
    return f"- # {right.why}{needs}\n" + "".join(f"  {line}" for line in lines)


def _flow(words: Iterable[str]) -> str:
    return yaml.safe_dump(list(words), default_flow_style=True, width=1000).strip()
