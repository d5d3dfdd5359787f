"""kubectl on a control plane, with the kubeconfig that kubeadm left to administrators there.

For what must be taken back although nobody is left outside: a dead man's switch on that node.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from quorate.harness.drivers.kube import API_SERVER_PORT
from quorate.harness.errors import TransportError
from quorate.harness.model.cluster import Cluster
from quorate.harness.model.marks import annotation
from quorate.harness.transport import Transport

ADMIN = "/etc/kubernetes/admin.conf"
_HAS = 'command -v kubectl >/dev/null && test -r "$1"'

_ASK = """\
config=$1; server=$2; node=$3
ask() { kubectl --kubeconfig="$config" --server="$server" --request-timeout=8s "$@"; }
marks() { ask get node "$node" -o 'jsonpath={.metadata.annotations}'; }
"""
# `$4` annotation, `$5` JSON patch, which tests for the annotation too: it may go between the look
# and the patch. A server that does not answer is asked again: whoever runs this has nobody to tell.
_UNCORDON = f"""\
{_ASK}
for try in 1 2 3 4 5 6 7 8 9 10; do
    seen=$(marks) && case $seen in
        *"\\"$4\\""*) ask patch node "$node" --type=json --patch="$5" && exit 0 ;;
        *) exit 0 ;;
    esac
    sleep 2
done
exit 1
"""
_MARKS = f"""\
{_ASK}
marks
"""


class KubectlDriver:
    """What the control planes can do to the API by themselves."""

    def __init__(self, transport: Transport, *, cluster: Cluster) -> None:
        self._transport = transport
        self._cluster = cluster

    def able(self, *, but: Sequence[str]) -> str | None:
        """A control plane, none of `but`, that has kubectl and the kubeconfig; None: there is none.

        A node that cannot be asked has neither.
        """
        for node in self._cluster.control_planes:
            if node.name in but:
                continue
            try:
                has = self._transport.run(node.name, ("sh", "-c", _HAS, "quorate", ADMIN))
            except TransportError:
                continue
            if has.returncode == 0:
                return node.name
        return None

    def uncordon_argv(self, node: str, *, by: str, mark: str) -> tuple[str, ...]:
        """Take the cordon and our mark off `node` where the mark is; to be run on `by`."""
        key = annotation(mark)
        path = f"/metadata/annotations/{key.replace('~', '~0').replace('/', '~1')}"
        patch = [
            {"op": "test", "path": path, "value": "on"},
            {"op": "remove", "path": path},
            {"op": "replace", "path": "/spec/unschedulable", "value": False},
        ]
        return ("sh", "-c", _UNCORDON, "quorate", *self._where(by), node, key, json.dumps(patch))

    def marks_argv(self, node: str, *, by: str) -> tuple[str, ...]:
        """Prints the annotations of `node`; to be run on `by`."""
        return ("sh", "-c", _MARKS, "quorate", *self._where(by), node)

    def _where(self, by: str) -> tuple[str, str]:
        (address,) = (node.address for node in self._cluster.nodes if node.name == by)
        return ADMIN, f"https://{address}:{API_SERVER_PORT}"
