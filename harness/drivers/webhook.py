"""A validating webhook of ours as Kubernetes objects: one that can stop nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quorate.harness.drivers.service import container
from quorate.harness.model.service import PORT

NAME = "quorate-webhook"
LABELS = {"app": NAME}
NAMESPACE_PATH = f"/api/v1/namespaces/{NAME}"
SERVICE_PATH = f"{NAMESPACE_PATH}/services/{NAME}"
DEPLOYMENT_PATH = f"/apis/apps/v1/namespaces/{NAME}/deployments/{NAME}"
PATH = f"/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/{NAME}"
LIST_PATH = PATH.rpartition("/")[0]


def backend(image: str, *, labels: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Path → object, in the order in which they are to be made; each carries `labels`."""
    meta = {"name": NAME, "namespace": NAME, "labels": dict(labels)}
    only = {**container(image=image, pre_stop=False), "name": NAME}
    return {
        NAMESPACE_PATH: {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": NAME, "labels": dict(labels)},
        },
        SERVICE_PATH: {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": meta,
            "spec": {"selector": LABELS, "ports": [{"port": 443, "targetPort": PORT}]},
        },
        DEPLOYMENT_PATH: {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": meta,
            "spec": {
                "replicas": 1,
                "selector": {"matchLabels": LABELS},
                "template": {
                    "metadata": {"labels": {**LABELS, **labels}},
                    "spec": {"containers": [only], "terminationGracePeriodSeconds": 1},
                },
            },
        },
    }


def configuration(*, labels: Mapping[str, str]) -> dict[str, Any]:
    """Asked before a PodTemplate is made in the webhook's own namespace, and never else: nobody
    makes one there. It would be refused, since what answers speaks no TLS."""
    rule = {
        "apiGroups": [""],
        "apiVersions": ["v1"],
        "resources": ["podtemplates"],
        "operations": ["CREATE"],
        "scope": "Namespaced",
    }
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": NAME, "labels": dict(labels)},
        "webhooks": [
            {
                "name": "webhook.quorate.local",
                "admissionReviewVersions": ["v1"],
                "sideEffects": "None",
                "failurePolicy": "Fail",
                "timeoutSeconds": 1,
                "clientConfig": {"service": {"name": NAME, "namespace": NAME, "path": "/"}},
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": NAME}},
                "rules": [rule],
            }
        ],
    }
