"""All drivers of one cluster, made once and handed to whoever asks systems."""

from __future__ import annotations

from dataclasses import dataclass, field

from quorate.harness.drivers.clock import Clock, MonotonicClock
from quorate.harness.drivers.containers import ContainerDriver
from quorate.harness.drivers.etcd import EtcdDriver
from quorate.harness.drivers.files import FileDriver
from quorate.harness.drivers.haproxy import HAProxyDriver
from quorate.harness.drivers.keepalived import KeepalivedDriver
from quorate.harness.drivers.kube import KubeDriver
from quorate.harness.drivers.kube_api import KubeApi, KubeCommands
from quorate.harness.drivers.kubeconfig import KubeCredentials
from quorate.harness.drivers.kubectl import KubectlDriver
from quorate.harness.drivers.kubelet import KubeletDriver
from quorate.harness.drivers.learners import LearnerDriver
from quorate.harness.drivers.leases import LeaseDriver
from quorate.harness.drivers.machine import MachineDriver
from quorate.harness.drivers.nftables import NftablesDriver
from quorate.harness.drivers.power import PowerDriver
from quorate.harness.drivers.processes import ProcessDriver
from quorate.harness.drivers.public_files import PublicFileDriver
from quorate.harness.drivers.reach import ReachDriver
from quorate.harness.drivers.rights import RightsDriver
from quorate.harness.drivers.sampler_pod import SamplerPodDriver
from quorate.harness.drivers.service import ServiceDriver
from quorate.harness.drivers.signing import SigningDriver
from quorate.harness.drivers.systemd import SystemdDriver
from quorate.harness.drivers.workloads import WorkloadDriver
from quorate.harness.model.cluster import Cluster
from quorate.harness.transport import Transport


@dataclass(frozen=True)
class Drivers:
    """One cluster and the ways to ask it."""

    cluster: Cluster
    transport: Transport
    kube: KubeDriver
    api: KubeApi
    rights: RightsDriver
    kube_commands: KubeCommands
    kubectl: KubectlDriver
    service: ServiceDriver
    sampler_pods: SamplerPodDriver
    etcd: EtcdDriver
    haproxy: HAProxyDriver
    keepalived: KeepalivedDriver
    machine: MachineDriver
    nftables: NftablesDriver
    reach: ReachDriver
    power: PowerDriver
    containers: ContainerDriver
    processes: ProcessDriver
    files: FileDriver
    public_files: PublicFileDriver
    learners: LearnerDriver
    kubelet: KubeletDriver
    signing: SigningDriver
    leases: LeaseDriver
    workloads: WorkloadDriver
    systemd: SystemdDriver
    credentials: KubeCredentials = field(repr=False)
    clock: Clock = field(default_factory=MonotonicClock)

    @classmethod
    def connect(cls, cluster: Cluster, *, transport: Transport) -> Drivers:
        """Drivers of the real systems; nothing is asked yet. DriverError for a bad kubeconfig."""
        credentials = KubeCredentials.read(cluster.kubeconfig)
        kube = KubeDriver(cluster, credentials=credentials)
        api = KubeApi(kube.servers)
        containers, processes = ContainerDriver(transport), ProcessDriver(transport)
        return cls(
            cluster=cluster,
            transport=transport,
            kube=kube,
            api=api,
            rights=RightsDriver(kube.servers),
            kube_commands=KubeCommands(),
            kubectl=KubectlDriver(transport, cluster=cluster),
            service=ServiceDriver(cluster, api=api),
            sampler_pods=SamplerPodDriver(cluster, kube=kube, api=api),
            etcd=EtcdDriver(transport),
            haproxy=HAProxyDriver(transport, cluster=cluster),
            keepalived=KeepalivedDriver(transport, cluster=cluster),
            machine=MachineDriver(transport),
            nftables=NftablesDriver(transport),
            reach=ReachDriver(transport),
            power=PowerDriver(cluster),
            containers=containers,
            processes=processes,
            files=FileDriver(transport),
            public_files=PublicFileDriver(transport),
            learners=LearnerDriver(transport),
            kubelet=KubeletDriver(transport),
            signing=SigningDriver(transport),
            leases=LeaseDriver(kube),
            workloads=WorkloadDriver(transport, containers=containers, processes=processes),
            systemd=SystemdDriver(transport),
            credentials=credentials,
        )
