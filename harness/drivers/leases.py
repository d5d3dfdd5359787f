"""Leases by which the parts of the control plane elect who of them works."""

from __future__ import annotations

from quorate.harness.drivers.kube import KubeDriver
from quorate.harness.errors import DriverError

NAMESPACE = "kube-system"


class LeaseDriver:
    """Who holds a lease, from any API server that answers. Changes nothing."""

    def __init__(self, kube: KubeDriver) -> None:
        self._kube = kube

    def holder(self, name: str) -> str:
        """The holder's identity, `<host name>_<uuid>` in client-go; "" for a lease given back.

        DriverError when no API server answers with such a lease.
        """
        path = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases/{name}"
        try:
            return str(self._kube.get_json(path)["spec"].get("holderIdentity") or "")
        except (KeyError, TypeError, AttributeError) as error:
            raise DriverError(f"{path}: not a Lease") from error

    def node(self, name: str) -> str | None:
        """The host name in the holder's identity; None where nobody holds it. DriverError."""
        return self.holder(name).partition("_")[0] or None
