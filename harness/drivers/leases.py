"""Leases by which the parts of the control plane elect who of them works."""

from __future__ import annotations

from dataclasses import dataclass

from quorate.harness.drivers.kube import KubeDriver
from quorate.harness.errors import DriverError

NAMESPACE = "kube-system"


@dataclass(frozen=True)
class Held:
    """What a lease says. `holder`: an identity, `<host name>_<uuid>` in client-go; "" for one that
    was given back. `length_s`: for how long a renewal holds."""

    holder: str
    length_s: float | None = None

    @property
    def node(self) -> str | None:
        """The host name in the holder's identity; None where nobody holds it."""
        return self.holder.partition("_")[0] or None


class LeaseDriver:
    """Who holds a lease, from any API server that answers. Changes nothing."""

    def __init__(self, kube: KubeDriver) -> None:
        self._kube = kube

    def held(self, name: str) -> Held:
        """DriverError when no API server answers with such a lease."""
        path = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases/{name}"
        try:
            spec = self._kube.get_json(path)["spec"]
            length = spec.get("leaseDurationSeconds")
            return Held(
                str(spec.get("holderIdentity") or ""), None if length is None else float(length)
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DriverError(f"{path}: not a Lease") from error

    def holder(self, name: str) -> str:
        """The holder's identity alone."""
        return self.held(name).holder

    def node(self, name: str) -> str | None:
        """The holder's node alone."""
        return self.held(name).node
