"""All drivers of one cluster, made once and handed to whoever asks systems."""

from __future__ import annotations

from dataclasses import dataclass, field

from quorate.harness.drivers.clock import Clock, MonotonicClock
from quorate.harness.drivers.etcd import EtcdDriver
from quorate.harness.drivers.haproxy import HAProxyDriver
from quorate.harness.drivers.keepalived import KeepalivedDriver
from quorate.harness.drivers.kube import KubeDriver
from quorate.harness.drivers.kubeconfig import KubeCredentials
from quorate.harness.drivers.machine import MachineDriver
from quorate.harness.drivers.power import PowerDriver
from quorate.harness.drivers.systemd import SystemdDriver
from quorate.harness.model.cluster import Cluster
from quorate.harness.transport import Transport


@dataclass(frozen=True)
class Drivers:
    """One cluster and the ways to ask it."""

    cluster: Cluster
    transport: Transport
    kube: KubeDriver
    etcd: EtcdDriver
    haproxy: HAProxyDriver
    keepalived: KeepalivedDriver
    machine: MachineDriver
    power: PowerDriver
    systemd: SystemdDriver
    credentials: KubeCredentials = field(repr=False)
    clock: Clock = field(default_factory=MonotonicClock)

    @classmethod
    def connect(cls, cluster: Cluster, *, transport: Transport) -> Drivers:
        """Drivers of the real systems; nothing is asked yet. DriverError for a bad kubeconfig."""
        credentials = KubeCredentials.read(cluster.kubeconfig)
        return cls(
            cluster=cluster,
            transport=transport,
            kube=KubeDriver(cluster, credentials=credentials),
            etcd=EtcdDriver(transport),
            haproxy=HAProxyDriver(transport, cluster=cluster),
            keepalived=KeepalivedDriver(transport, cluster=cluster),
            machine=MachineDriver(transport),
            power=PowerDriver(cluster),
            systemd=SystemdDriver(transport),
            credentials=credentials,
        )
