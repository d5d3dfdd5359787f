"""webhook_of_one_replica: an admission webhook that must answer has a single pod behind it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import ClassVar

from quorate.harness.drivers import webhook
from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.kube_api import ROLLED_OUT_S
from quorate.harness.errors import RefusedError
from quorate.harness.faults.contract import Act, Arrangement, Plan, Proof
from quorate.harness.faults.marked.changes import ANOTHERS, namespace_gone
from quorate.harness.model.cluster import HARNESS
from quorate.harness.model.marks import LABEL
from quorate.harness.model.undo import Undo


class WebhookOfOneReplica(Arrangement):
    """In a namespace of its own, asked about nothing that anybody makes (drivers/webhook.py)."""

    name: ClassVar[str] = "webhook_of_one_replica"
    summary: ClassVar[str] = (
        "A validating webhook with failurePolicy Fail has one replica; it is asked about "
        "PodTemplates of its own namespace only."
    )

    def prepare(self, drivers: Drivers, *, arguments: Mapping[str, object]) -> Mapping[str, str]:
        for path in (webhook.NAMESPACE_PATH, webhook.PATH):
            if drivers.api.get(path) is not None:
                kind = path.split("/")[-2].removesuffix("s")
                raise RefusedError(
                    f"there is a {kind} {webhook.NAME} already (or still ending): "
                    f"kubectl delete {kind} {webhook.NAME}"
                )
        return {}

    def undos(self, drivers: Drivers, *, plan: Plan) -> Sequence[Undo]:
        commands = drivers.kube_commands
        return [  # taken back from the last to the first
            namespace_gone(commands, webhook.NAMESPACE_PATH, plan=plan),
            Undo(
                id=f"{plan.injection}:configuration",
                injection=plan.injection,
                node=HARNESS,
                argv=commands.delete_marked(webhook.PATH, mark=plan.unit),
                confirm_argv=commands.show(webhook.PATH, f"metadata.labels.{LABEL}"),
                confirm_expect=ANOTHERS.format(re.escape(plan.unit)),
                text=f"delete the ValidatingWebhookConfiguration {webhook.NAME}",
            ),
        ]

    def acts(self, drivers: Drivers, *, plan: Plan) -> Sequence[Act]:
        commands, labels = drivers.kube_commands, {LABEL: plan.unit}
        behind = webhook.backend(drivers.cluster.service.image, labels=labels)
        return [
            *(Act(HARNESS, commands.apply(path, body)) for path, body in behind.items()),
            Act(HARNESS, commands.rolled_out(webhook.DEPLOYMENT_PATH), timeout_s=ROLLED_OUT_S + 10),
            Act(HARNESS, commands.apply(webhook.PATH, webhook.configuration(labels=labels))),
        ]

    def proof(self, drivers: Drivers, *, plan: Plan) -> Proof:
        asked, behind = drivers.api.get(webhook.PATH), drivers.api.get(webhook.DEPLOYMENT_PATH)
        if asked is None or behind is None:
            return Proof(False, f"there is no webhook {webhook.NAME}, or nothing behind it")
        policies = [one.get("failurePolicy") for one in asked["webhooks"]]
        ready = (behind.get("status") or {}).get("readyReplicas", 0)
        ok = policies == ["Fail"] and ready == behind["spec"]["replicas"] == 1
        return Proof(ok, f"failurePolicy {', '.join(policies)}, with {ready} replica(s) behind it")
