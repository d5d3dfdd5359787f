"""A create that goes all the way but for the last step: nothing is stored.

POST of a ConfigMap with ``dryRun=All``: authentication, authorization, admission (webhooks that
declare no side effects too) and validation as in a real create. In the end the API server reads
from etcd, linearizably, whether the name is taken, in place of writing (DryRunnableStorage in
k8s.io/apiserver). So OK means: an API server, its admission, and etcd's quorum to read; not that
etcd could write: its disks are not asked (``api_write`` asks them). The name is generated anew each
time, so that nobody's object is in the way.
"""

from __future__ import annotations

import json

from quorate.probes.question import Question

OBJECT = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"generateName": "quorate-dry-run-", "namespace": "kube-system"},
}

QUESTION = Question(
    name="api_dry_run_create",
    path="/api/v1/namespaces/kube-system/configmaps?dryRun=All",
    status=(201,),
    body_contains='"kind":"ConfigMap"',
    summary="POST of a ConfigMap with dryRun=All: needs admission and etcd's quorum to read",
    body=json.dumps(OBJECT, separators=(",", ":")),
)
