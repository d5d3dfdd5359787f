"""The files of a node: from the plan to (path, content, mode). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from string import Template

from quorate.harness.lab import plan as names
from quorate.harness.lab.plan import LabPlan, NodePlan
from quorate.harness.lab.spec import HAPROXY, NGINX, HostFacts

TEMPLATES = Path(__file__).with_name("templates")

MULTI_USER = "/etc/systemd/system/multi-user.target.wants"

PRODUCTS = {HAPROXY: "HAProxy", NGINX: "Nginx"}

# Units that would tune the shared kernel or clock, or do work that no node of a lab needs.
MASKED_UNITS = (
    "systemd-sysctl.service", "systemd-modules-load.service", "systemd-timesyncd.service",
    "systemd-udevd.service", "systemd-udev-trigger.service", "systemd-udevd-control.socket",
    "systemd-udevd-kernel.socket", "systemd-remount-fs.service", "systemd-firstboot.service",
    "systemd-resolved.service", "systemd-networkd.service", "systemd-pstore.service",
    "sys-kernel-debug.mount", "sys-kernel-tracing.mount", "sys-kernel-config.mount",
    "dev-hugepages.mount", "proc-sys-fs-binfmt_misc.automount", "getty.target",
    "console-getty.service", "e2scrub_all.timer", "e2scrub_reap.service", "apt-daily.timer",
    "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "fstrim.timer", "logrotate.timer",
    "systemd-tmpfiles-clean.timer",
)  # fmt: skip


@dataclass(frozen=True)
class File:
    """A file of a node: its absolute path there and either its content or where it links to."""

    path: str
    content: str = ""
    mode: int = 0o644
    link: str | None = None


@dataclass(frozen=True)
class Keys:
    """What ``keys.make`` made: text of one node's host key and of the harness' public key."""

    host_private: str
    host_public: str
    authorized: str


def render(template: str, **values: object) -> str:
    """Fill a template of this package; a name that is missing raises KeyError."""
    return Template((TEMPLATES / template).read_text()).substitute(
        {key: str(value) for key, value in values.items()}
    )


def node_files(plan: LabPlan, node: NodePlan, facts: HostFacts, keys: Keys) -> list[File]:
    """Every file that makes this node differ from the shared root file system."""
    files = _identity(plan, node, keys)
    if node.has_kubelet:
        files += _kubernetes_node(plan, node, facts)
    if node.balances:
        files += _front_door(plan, node)
    if node.has_etcd:
        files += _snapshots()
        files += [] if node.has_kubelet else _member(plan, node)
    files += [File(f"/etc/systemd/system/{unit}", link="/dev/null") for unit in MASKED_UNITS]
    return files


def _identity(plan: LabPlan, node: NodePlan, keys: Keys) -> list[File]:
    hosts = ["127.0.0.1 localhost", "::1 localhost"]
    hosts += [f"{each.address} {each.name}" for each in plan.nodes]
    return [
        File("/etc/hostname", node.name + "\n"),
        File("/etc/machine-id", plan.secret(f"machine-id {node.name}", 32) + "\n", 0o444),
        File("/etc/hosts", "\n".join(hosts) + "\n"),
        # Nobody answers there, and it says so at once; CoreDNS does not start without a server.
        File("/etc/resolv.conf", f"nameserver {names.CLIENT_ADDRESS}\n"),
        File("/etc/ssh/ssh_host_ed25519_key", keys.host_private, 0o600),
        File("/etc/ssh/ssh_host_ed25519_key.pub", keys.host_public),
        File("/etc/ssh/sshd_config", render("sshd.conf")),
        File("/root/.ssh/authorized_keys", keys.authorized, 0o600),
        File("/usr/local/sbin/quorate-boot", render("quorate-boot"), 0o755),
        File(f"{MULTI_USER}/ssh.service", link="/lib/systemd/system/ssh.service"),
    ]


def _kubernetes_node(plan: LabPlan, node: NodePlan, facts: HostFacts) -> list[File]:
    toml = render(
        "containerd.toml",
        repository=names.IMAGE_REPOSITORY,
        pause=plan.spec.versions.pause,
        reduced=str(not facts.full_root).lower(),
        systemd_cgroups=str(facts.systemd_cgroups).lower(),
    )
    units = "/etc/systemd/system"
    return [
        File("/etc/containerd/config.toml", toml),
        File("/etc/cni/net.d/10-pods.conflist", render("10-pods.conflist", pod_cidr=node.pod_cidr)),
        File(f"{units}/containerd.service", render("containerd.service")),
        File(f"{units}/kubelet.service", render("kubelet.service")),
        File(f"{MULTI_USER}/containerd.service", link=f"{units}/containerd.service"),
        File(f"{MULTI_USER}/kubelet.service", link=f"{units}/kubelet.service"),
    ]


def _front_door(plan: LabPlan, node: NodePlan) -> list[File]:
    balancer = plan.spec.balancer
    peers = "\n".join(
        f"        {each.address}" for each in plan.balancers if each.name != node.name
    )
    keepalived = render(
        "keepalived.conf",
        name=node.name,
        script=balancer,
        product=PRODUCTS[balancer],
        monitor_port=names.MONITOR_PORT,
        priority=node.priority,
        address=node.address,
        peers=peers,
        vip=names.VIP_ADDRESS,
    )
    return [
        *(_nginx(plan) if balancer == NGINX else _haproxy(plan)),
        File("/etc/keepalived/keepalived.conf", keepalived),
        *(
            File(f"{MULTI_USER}/{unit}.service", link=f"/lib/systemd/system/{unit}.service")
            for unit in (balancer, "keepalived")
        ),
    ]


def _haproxy(plan: LabPlan) -> list[File]:
    servers = "\n".join(
        f"    server {each.name} {each.address}:{names.API_PORT}" for each in plan.control_planes
    )
    text = render(
        "haproxy.cfg", vip_port=names.VIP_PORT, monitor_port=names.MONITOR_PORT, servers=servers
    )
    return [File("/etc/haproxy/haproxy.cfg", text)]


def _nginx(plan: LabPlan) -> list[File]:
    servers = "\n".join(
        f"        server {each.address}:{names.API_PORT} max_fails=1 fail_timeout=10s;"
        for each in plan.control_planes
    )
    text = render(
        "nginx.conf", vip_port=names.VIP_PORT, monitor_port=names.MONITOR_PORT, servers=servers
    )
    return [
        File("/etc/nginx/nginx.conf", text),
        File("/etc/systemd/system/nginx.service.d/restart.conf", render("nginx-restart.conf")),
    ]


def _snapshots() -> list[File]:
    units = "/etc/systemd/system"
    return [
        File(f"{units}/etcd-snapshot.service", render("etcd-snapshot.service")),
        File(f"{units}/etcd-snapshot.timer", render("etcd-snapshot.timer")),
        File(
            "/etc/systemd/system/timers.target.wants/etcd-snapshot.timer",
            link=f"{units}/etcd-snapshot.timer",
        ),
    ]


def _member(plan: LabPlan, node: NodePlan) -> list[File]:
    """etcd as a unit of a machine of its own; its certificates come from etcd_pki."""
    peers = ",".join(f"{each.name}=https://{each.address}:2380" for each in plan.members)
    text = render(
        "etcd.conf.yml",
        name=node.name,
        address=node.address,
        peers=peers,
        token=plan.secret("etcd token", 16),
        metrics=names.METRICS_URL,
    )
    unit = "/etc/systemd/system/etcd.service"
    return [
        File("/etc/etcd/etcd.conf.yml", text),
        File(unit, render("etcd.service")),
        File(f"{MULTI_USER}/etcd.service", link=unit),
    ]


def bare_units(plan: LabPlan, node: NodePlan) -> list[str]:
    """What must run on a machine without a kubelet."""
    units = ["etcd"] if node.has_etcd else []
    return [*units, plan.spec.balancer, "keepalived"] if node.balances else units


def kubeadm_config(plan: LabPlan, node: NodePlan, facts: HostFacts) -> str:
    """The configuration for ``kubeadm init`` (first control plane) or ``kubeadm join``."""
    token = f"{plan.secret('token id', 6)}.{plan.secret('token', 16)}"
    certificate_key = plan.secret("certificate key", 64)
    if node == plan.control_planes[0]:
        kind, specific = "InitConfiguration", [
            "bootstrapTokens:",
            f'  - {{token: "{token}", ttl: 2h0m0s}}',
            f'certificateKey: "{certificate_key}"',
            "localAPIEndpoint:",
            f'  {{advertiseAddress: "{node.address}", bindPort: {names.API_PORT}}}',
        ]  # fmt: skip
    else:
        kind, specific = "JoinConfiguration", [
            "discovery:",
            "  bootstrapToken:",
            f'    token: "{token}"',
            f'    apiServerEndpoint: "{names.VIP_ADDRESS}:{names.VIP_PORT}"',
            # The CA cannot be forged in a network that is attached to nothing.
            "    unsafeSkipCAVerification: true",
        ]  # fmt: skip
        if node.control_plane:
            specific += [
                "controlPlane:",
                f'  certificateKey: "{certificate_key}"',
                "  localAPIEndpoint:",
                f'    {{advertiseAddress: "{node.address}", bindPort: {names.API_PORT}}}',
            ]
    text = render(
        "kubeadm.yaml",
        kind=kind,
        name=node.name,
        address=node.address,
        specific="\n".join(specific),
    )
    return text + _cluster_config(plan, facts) if kind == "InitConfiguration" else text


def _etcd_config(plan: LabPlan) -> str:
    if not plan.spec.members:
        tag = f"{plan.spec.versions.etcd.removeprefix('v')}-0"
        lines = ["local:", f"  imageTag: {tag}", "  dataDir: /var/lib/etcd/member-data"]
    else:
        pki = "/etc/kubernetes/pki"
        lines = ["external:", "  endpoints:"]
        lines += [f"    - https://{each.address}:2379" for each in plan.members]
        lines += [
            f"  caFile: {pki}/etcd/ca.crt",
            f"  certFile: {pki}/apiserver-etcd-client.crt",
            f"  keyFile: {pki}/apiserver-etcd-client.key",
        ]
    return "\n".join(f"  {line}" for line in lines)


def _cluster_config(plan: LabPlan, facts: HostFacts) -> str:
    reduced = []
    if facts.cgroup_version == 1:
        reduced.append("failCgroupV1: false")
    if not facts.full_root:
        reduced.append("featureGates: {KubeletInUserNamespace: true}")
    versions = plan.spec.versions
    return render(
        "kubeadm-cluster.yaml",
        cluster=plan.spec.name,
        kubernetes=versions.kubernetes,
        repository=names.IMAGE_REPOSITORY,
        vip=names.VIP_ADDRESS,
        vip_port=names.VIP_PORT,
        service_cidr=names.SERVICE_CIDR,
        pod_cidr=names.POD_CIDR,
        sans=", ".join([names.VIP_ADDRESS, *(each.address for each in plan.control_planes)]),
        coredns=versions.coredns,
        etcd=_etcd_config(plan),
        cgroup_driver="systemd" if facts.systemd_cgroups else "cgroupfs",
        kubelet_reduced="\n".join(reduced),
    )
