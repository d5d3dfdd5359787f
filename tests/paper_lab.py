"""The lab as files: what lies on its nodes, by the lab's own templates and as kubeadm writes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.containers import ContainerDriver
from quorate.harness.drivers.etcd import EtcdDriver
from quorate.harness.drivers.files import FileDriver, texts_argv
from quorate.harness.drivers.haproxy import HAProxyDriver
from quorate.harness.drivers.keepalived import KeepalivedDriver
from quorate.harness.drivers.kube_api import KubeCommands
from quorate.harness.drivers.kubectl import KubectlDriver
from quorate.harness.drivers.kubelet import KubeletDriver
from quorate.harness.drivers.learners import LearnerDriver
from quorate.harness.drivers.leases import LeaseDriver
from quorate.harness.drivers.machine import MachineDriver
from quorate.harness.drivers.nftables import ROUTES, NftablesDriver
from quorate.harness.drivers.power import PowerDriver
from quorate.harness.drivers.processes import TABLE_ARGV, ProcessDriver
from quorate.harness.drivers.public_files import PublicFileDriver
from quorate.harness.drivers.reach import ReachDriver
from quorate.harness.drivers.rights import RightsDriver
from quorate.harness.drivers.signing import SigningDriver
from quorate.harness.drivers.systemd import SystemdDriver
from quorate.harness.drivers.workloads import WorkloadDriver
from quorate.harness.lab.files import Keys, node_files
from quorate.harness.lab.plan import VIP_ADDRESS, VIP_PORT, LabPlan
from quorate.harness.lab.spec import HostFacts, LabSpec
from quorate.harness.model.cluster import Cluster, Node
from quorate.harness.transport import CommandResult, MemoryTransport, Reply
from tests.memory_api import MemoryServer, healthy

MANIFESTS = "/etc/kubernetes/manifests"
HAPROXY = "/etc/haproxy/haproxy.cfg"
NGINX = "/etc/nginx/nginx.conf"
ETCD_CONFIGURATION = "/etc/etcd/etcd.conf.yml"
KEEPALIVED = "/etc/keepalived/keepalived.conf"
KUBELET = "/var/lib/kubelet/config.yaml"


def plan(**shape: Any) -> LabPlan:
    """A lab of three control planes and three workers; `shape`: more of LabSpec."""
    return LabPlan(LabSpec(**shape), Path("/state"), Path("/run/lab"), "seed")


PLAN = plan()
APART = plan(etcd="external", load_balancers=2)
"""etcd and HAProxy on machines of their own: e1 to e3, lb1 and lb2."""
BY_NGINX = plan(balancer="nginx")
"""Nginx on the control planes, which have their etcd members."""


def plan_for(fault: str) -> LabPlan:
    """A lab that has what the fault of this name breaks."""
    return BY_NGINX if fault.startswith("nginx_") else PLAN


APISERVER = """\
apiVersion: v1
kind: Pod
metadata:
  annotations:
    kubeadm.kubernetes.io/kube-apiserver.advertise-address.endpoint: {address}:6443
  labels:
    component: kube-apiserver
    tier: control-plane
  name: kube-apiserver
  namespace: kube-system
spec:
  containers:
  - command:
    - kube-apiserver
    - --advertise-address={address}
    - --allow-privileged=true
    - --authorization-mode=Node,RBAC
    - --etcd-cafile=/etc/kubernetes/pki/etcd/ca.crt
    - --etcd-servers={etcd_servers}
    - --secure-port=6443
    - --service-cluster-ip-range=10.96.0.0/16
    - --shutdown-delay-duration=10s
    image: quorate.local/kube-apiserver:v1.36.3
    imagePullPolicy: IfNotPresent
    livenessProbe:
      failureThreshold: 8
      httpGet:
        host: {address}
        path: /livez
        port: probe-port
        scheme: HTTPS
      periodSeconds: 10
      timeoutSeconds: 15
    name: kube-apiserver
  hostNetwork: true
  priorityClassName: system-node-critical
status: {{}}
"""
CONTROLLER_MANAGER = """\
apiVersion: v1
kind: Pod
metadata:
  labels:
    component: kube-controller-manager
  name: kube-controller-manager
  namespace: kube-system
spec:
  containers:
  - command:
    - kube-controller-manager
    - --bind-address=127.0.0.1
    - --controllers=*,bootstrapsigner,tokencleaner
    - --leader-elect=true
    - --use-service-account-credentials=true
    image: quorate.local/kube-controller-manager:v1.36.3
    name: kube-controller-manager
  hostNetwork: true
status: {}
"""
SCHEDULER = """\
apiVersion: v1
kind: Pod
metadata:
  labels:
    component: kube-scheduler
  name: kube-scheduler
  namespace: kube-system
spec:
  containers:
  - command:
    - kube-scheduler
    - --bind-address=127.0.0.1
    - --kubeconfig=/etc/kubernetes/scheduler.conf
    - --leader-elect=true
    image: quorate.local/kube-scheduler:v1.36.3
    name: kube-scheduler
  hostNetwork: true
status: {}
"""
ETCD = """\
apiVersion: v1
kind: Pod
metadata:
  annotations:
    kubeadm.kubernetes.io/etcd.advertise-client-urls: https://{address}:2379
  labels:
    component: etcd
  name: etcd
  namespace: kube-system
spec:
  containers:
  - command:
    - etcd
    - --advertise-client-urls=https://{address}:2379
    - --data-dir=/var/lib/etcd/member-data
    - --initial-advertise-peer-urls=https://{address}:2380
    - --initial-cluster=cp1=https://10.77.0.11:2380
    - --listen-metrics-urls=http://127.0.0.1:2381
    - --name={name}
    image: quorate.local/etcd:3.6.8-0
    name: etcd
  hostNetwork: true
status: {{}}
"""
KUBELET_CONFIG = """\
apiVersion: kubelet.config.k8s.io/v1beta1
cgroupDriver: cgroupfs
clusterDNS:
- 10.96.0.10
kind: KubeletConfiguration
nodeStatusReportFrequency: 0s
nodeStatusUpdateFrequency: 0s
staticPodPath: /etc/kubernetes/manifests
"""


def cluster(plan: LabPlan = PLAN) -> Cluster:
    """Three control planes, three workers, as the lab's cluster.yaml has them."""
    nodes = [{"name": one.name, "address": one.address, "roles": one.roles} for one in plan.nodes]
    return Cluster.model_validate(
        {
            "format": 1,
            "name": "quorate",
            "kubeconfig": "kubeconfig",
            "virtual_ip": {"address": VIP_ADDRESS, "port": VIP_PORT},
            "nodes": nodes,
            "balancer": plan.spec.balancer,
            "power": {"command": ["switch", "{action}", "{node}"]},
            "service": {"node_port": 30999},
        }
    )


OURS = (HAPROXY, NGINX, KEEPALIVED, ETCD_CONFIGURATION)


def texts(plan: LabPlan = PLAN) -> dict[str, dict[str, str]]:
    """Node → path → what lies there."""
    host, keys = HostFacts(2, True, (), None, ()), Keys("", "", "")
    members = [f"https://{one.address}:2379" for one in plan.members]
    servers = ",".join(members) if plan.spec.members else "https://127.0.0.1:2379"
    found: dict[str, dict[str, str]] = {}
    for node in plan.nodes:
        files = {one.path: one.content for one in node_files(plan, node, host, keys)}
        of_node = {KUBELET: KUBELET_CONFIG} if node.has_kubelet else {}
        of_node |= {path: files[path] for path in OURS if path in files}
        if node.control_plane:
            apiserver = APISERVER.format(address=node.address, etcd_servers=servers)
            of_node |= {
                f"{MANIFESTS}/kube-apiserver.yaml": apiserver,
                f"{MANIFESTS}/kube-controller-manager.yaml": CONTROLLER_MANAGER,
                f"{MANIFESTS}/kube-scheduler.yaml": SCHEDULER,
            }
        if node.control_plane and node.has_etcd:
            manifest = ETCD.format(address=node.address, name=node.name)
            of_node[f"{MANIFESTS}/etcd.yaml"] = manifest
        found[node.name] = of_node
    return found


@dataclass
class PaperNodes(MemoryTransport):
    """Nodes on which these files lie; what else they are asked is answered by rules."""

    files: Mapping[str, Mapping[str, str]] = field(default_factory=texts)

    def run(self, node: str, argv: Sequence[str], **more: Any) -> CommandResult:
        said = super().run(node, argv, **more)
        if tuple(argv[:4]) == texts_argv():
            there = {path: self.files[node][path] for path in argv if path in self.files[node]}
            text = "".join(f"\x1e{path}\n{text}" for path, text in there.items())
        elif argv[0] == "cat" and argv[1] in self.files.get(node, {}):
            text = self.files[node][argv[1]]
        elif argv[0] == "cat" and argv[1].startswith("/etc/"):
            return CommandResult(node, tuple(argv), 1, "", "No such file", 0.0, "")
        else:
            return said
        return CommandResult(node, tuple(argv), 0, text, "", 0.0, "")


BOOT_ID = "7c92d57c-69f0-45ba-ba27-ce619eeb414e"
STAT = "{} (x) S {} 1 1 0 -1 0 1 2 1 1 10 6 28 15 20 0 1 0 {} 20299776 2931\n"
TABLE = STAT.format(62, 1, 150) + STAT.format(385, 215, 900)
SHOW_UNIT = ("systemctl", "show", "-p", "ActiveState,MainPID,InvocationID")
UNIT_NOT_SHOWN = "ActiveState=inactive\nMainPID=0\n"
UNIT_SHOWN = "ActiveState=active\nMainPID=62\nInvocationID=feed\n"
RESTART_SHOWN = "Restart=always\nRestartUSec=100ms\nLoadState=loaded\n"
SERVERS = """\
1
# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight
3 apiservers 1 cp1 10.77.0.11 2 0 1
"""
POD_PARTS = ("kube-apiserver", "etcd", "kube-scheduler", "kube-controller-manager")


class PaperKube:
    """API servers that are all ready; every lease is held by cp2; pods run on w1."""

    headers: ClassVar[dict[str, str]] = {}

    def get_json(self, path: str) -> Any:
        return {"spec": {"holderIdentity": "cp2_0", "leaseDurationSeconds": 15}}

    def nodes_running(self, selector: str) -> tuple[str, ...]:
        return ("w1",)

    def is_ready(self, node: Node) -> bool:
        return True

    def server_version(self, node: Node) -> str:
        return "v1.36.3"

    def node_versions(self) -> dict[str, dict[str, str]]:
        return {}

    def close(self) -> None:
        pass


def transport(plan: LabPlan = PLAN) -> PaperNodes:
    """The VIP is on the first load balancer, etcd is led by its second member, and each part runs:
    pid 385 in a container, pid 62 for each unit. Whatever else is asked gets code 0 and no answer.

    Machines without a kubelet have no container runtime, and their etcd is a unit."""
    nodes = PaperNodes(files=texts(plan))
    holder, leader = plan.balancers[0].name, plan.members[1].name
    nodes.on("cat", reply=Reply(f"{BOOT_ID}\n"))
    nodes.on("ip", reply=Reply("[]"))
    nodes.on("ip", reply=Reply('[{"addr_info": [{"local": "10.77.0.100"}]}]'), node=holder)
    raft = "etcd_server_has_leader 1\netcd_server_is_leader {}\n"
    nodes.on("curl", reply=Reply(raft.format(0)))
    nodes.on("curl", reply=Reply(raft.format(1)), node=leader)
    nodes.on(*TABLE_ARGV, reply=Reply(TABLE))
    nodes.on("systemctl", "is-active", reply=Reply("active\n"))
    nodes.on("systemctl", "show", reply=Reply(UNIT_SHOWN))
    nodes.on("systemctl", "show", "-p", "LoadState,Restart,RestartUSec", reply=Reply(RESTART_SHOWN))
    for part in POD_PARTS:
        nodes.on(*SHOW_UNIT, f"{part}.service", reply=Reply(UNIT_NOT_SHOWN))
    runtime = ("sh", "-c", "command -v crictl || command -v ctr || true")
    nodes.on(*runtime, reply=Reply("/x/ctr\n"))
    for node in plan.nodes:
        if not node.has_kubelet:
            nodes.on(*runtime, reply=Reply("\n"), node=node.name)
            asked = (*SHOW_UNIT, "etcd.service")
            shown = UNIT_SHOWN if node.has_etcd else UNIT_NOT_SHOWN
            nodes.on(*asked, reply=Reply(shown), node=node.name)
    nodes.on("ctr", "-n", "k8s.io", "containers", reply=Reply("c0ffee\n"))
    tasks = "".join(f"{one} 385 RUNNING\n" for one in ("c0ffee", "web-1-1", "dns-1-1"))
    nodes.on("ctr", "-n", "k8s.io", "tasks", reply=Reply(f"T P S\n{tasks}"))
    nodes.on("socat", reply=Reply(SERVERS))
    nodes.on("sh", "-c", ROUTES, reply=Reply('[{"dev": "eth0"}]'))
    nodes.on("nft", "list", "table", reply=Reply(returncode=1, stderr="No such file"))
    return nodes


def drivers(
    server: MemoryServer | None = None, *, nodes: PaperNodes | None = None, plan: LabPlan = PLAN
) -> Drivers:
    """A lab in health that answers everything, and does nothing that it is told."""
    lab, asked = cluster(plan), nodes or transport(plan)
    containers, processes = ContainerDriver(asked), ProcessDriver(asked)
    kube: Any = PaperKube()
    made: Any = Drivers.__new__(Drivers)
    for name, value in {
        "cluster": lab,
        "transport": asked,
        "kube": kube,
        "containers": containers,
        "processes": processes,
        "workloads": WorkloadDriver(asked, containers=containers, processes=processes),
        "files": FileDriver(asked),
        "public_files": PublicFileDriver(asked),
        "learners": LearnerDriver(asked),
        "kubelet": KubeletDriver(asked),
        "signing": SigningDriver(asked),
        "leases": LeaseDriver(kube),
        "haproxy": HAProxyDriver(asked, cluster=lab),
        "etcd": EtcdDriver(asked),
        "api": (server := server or healthy("cp1")).api,
        "rights": RightsDriver(lambda: [server]),
        "kubectl": KubectlDriver(asked, cluster=lab),
        "kube_commands": KubeCommands(),
        "keepalived": KeepalivedDriver(asked, cluster=lab),
        "machine": MachineDriver(asked),
        "nftables": NftablesDriver(asked),
        "reach": ReachDriver(asked),
        "power": PowerDriver(lab),
        "systemd": SystemdDriver(asked),
    }.items():
        object.__setattr__(made, name, value)
    result: Drivers = made
    return result
