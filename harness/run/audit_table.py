"""docs/audit.md, written from the catalogue: python -m quorate.harness.run.audit_table > FILE."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from quorate.harness.audit.catalogue import SUBJECTS
from quorate.harness.audit.rule import Rule
from quorate.harness.run.auditing import BACKUPS

HEAD = f"""# Audit

Generated from the catalogue by `python -m quorate.harness.run.audit_table > docs/audit.md`;
`tests/unit/audit/test_catalogue.py` fails when it is out of date.

`quorate audit` says what is wrong with a cluster before anything is broken: from configuration
files, from what etcd and the API say, and from certificates. It only reads. Each finding has an id
that stays the same, a severity, the file, flag or object with the value found, the way out, and,
where a formula tells, what it costs in seconds: the same formulas by which `quorate plan` predicts
faults, so an experiment should measure a number in that range.

```console
$ quorate audit
$ quorate audit --json
$ quorate audit --format sarif -o audit.sarif
$ quorate audit --accept audit-accepted.yaml --backup '/backup/etcd/*.db' --backup-max-age 4h
```

:::{{note}}
The rules were tried on configurations and objects on paper, from the lab's own templates and in
the forms of kubeadm and the API. No real cluster has been audited yet.
:::

| severity | means |
|---|---|
| BLOCKING | not highly available as it is |
| WARNING | it costs more than it must, or may |
| UNKNOWN | quorate could not tell; never a pass |

| exit code | |
|---|---|
| 0 | nothing blocks |
| 1 | a finding is BLOCKING |
| 2 | usage, or a mistake in the list of explained findings |
| 3 | nothing blocks as far as could be told, but something is UNKNOWN; or no look was possible |

What could not be read (a node that is down, a file that is not there, a list that the API refuses)
is a finding of its own, `not-read`, and the rules that rest on it say nothing.

## What is explained

A finding that is meant to be so goes into a list, with its reason; it is still told, and no longer
counts. `of` is the node or object of the finding, or a pattern. An entry that explains nothing is
told on stderr, so that lists do not grow old. harness/lab/audit-accepted.yaml is the lab's.

```yaml
format: 1
accepted:
  - id: coredns-without-budget
    of: kube-system/coredns
    reason: kubeadm makes none, and nobody drains two nodes at once here
```

## What is looked at

On each node, by ssh: haproxy.cfg, keepalived.conf, the manifests of kubeadm's static pods,
kubelet's config.yaml, the addresses, the age of snapshots
({", ".join(f"`{one}`" for one in BACKUPS)},
or what `--backup` says), and what is public of certificates and kubeconfigs: no key leaves a node.
Of etcd: members, alarms and each member's status. Of the API: nodes, pods, Deployments,
StatefulSets, PodDisruptionBudgets, services, webhooks, leases.

In a kubeconfig, a name that is no node's is taken for an address that leads to every API server.
Files are read as they lie; a program that was not reloaded since goes by older ones. Whether
another router on the network uses the same virtual_router_id, what a proxy on a worker leads to,
and whether a snapshot can be restored cannot be seen there.

## Rules
"""


def page() -> str:
    """The whole file, with its trailing newline."""
    lines = [HEAD]
    for subject, rules in SUBJECTS.items():
        lines += [f"### {subject}", "", *_table(rules), ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def _table(rules: Sequence[Rule]) -> Iterator[str]:
    yield _row(["id", "severity", "what", "costs", "fix"])
    yield "|" + "---|" * 5
    for rule in rules:
        text = rule.text
        yield _row([f"`{text.id}`", text.severity, text.what, text.cost, text.fix])


def _row(cells: Sequence[str]) -> str:
    # A bar would end the cell.
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    sys.stdout.write(page())
