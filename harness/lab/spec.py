"""What a lab is: its size, its versions, and what the host that carries it can do."""

from __future__ import annotations

import re
from dataclasses import dataclass

from quorate.harness.errors import UsageError

NAME = re.compile(r"[a-z][a-z0-9-]{0,14}")

CONTROL_PLANE_COUNTS = (1, 3, 5)  # etcd wants an odd number of members
WORKER_COUNTS = range(1, 10)
MEMBER_COUNT = 3
"""Of an etcd on machines of its own: as many as control planes may come and go beside them."""
LOAD_BALANCER_COUNTS = (0, 2)  # 0: the control planes balance; 2: one serves, one takes over
STACKED, EXTERNAL = "stacked", "external"
HAPROXY, NGINX = "haproxy", "nginx"


@dataclass(frozen=True)
class Versions:
    """Versions of the parts; etcd, CoreDNS and pause are those that kubeadm v1.36.3 names.

    Source: cmd/kubeadm/app/constants/constants.go of that release.
    """

    kubernetes: str = "v1.36.3"
    etcd: str = "v3.6.8"
    coredns: str = "v1.14.2"
    containerd: str = "v2.4.2"
    cni: str = "v1.9.1"
    pause: str = "3.10.2"


@dataclass(frozen=True)
class LabSpec:
    """The size and the shape of a lab.

    Attributes:
        etcd: ``stacked`` (a member on each control plane) or ``external`` (on three machines).
        load_balancers: machines of their own that hold the VIP; 0: the control planes do.
        balancer: what runs there, ``haproxy`` or ``nginx``.

    Raises:
        UsageError: a name, a number or a word that no lab can have.
    """

    name: str = "quorate"
    control_planes: int = 3
    workers: int = 3
    versions: Versions = Versions()
    etcd: str = STACKED
    load_balancers: int = 0
    balancer: str = HAPROXY

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise UsageError(
                f"lab name {self.name!r}: use at most 15 lower-case letters, digits and dashes, "
                "beginning with a letter"
            )
        if self.control_planes not in CONTROL_PLANE_COUNTS:
            raise UsageError(
                f"--control-planes {self.control_planes}: allowed are 1, 3 and 5 "
                "(etcd needs an odd number of members)"
            )
        if self.workers not in WORKER_COUNTS:
            raise UsageError(f"--workers {self.workers}: allowed are 1 to 9")
        if self.etcd not in (STACKED, EXTERNAL):
            raise UsageError(f"--etcd {self.etcd}: allowed are {STACKED} and {EXTERNAL}")
        if self.load_balancers not in LOAD_BALANCER_COUNTS:
            raise UsageError(
                f"--load-balancers {self.load_balancers}: allowed are 0 (the control planes "
                "balance) and 2"
            )
        if self.balancer not in (HAPROXY, NGINX):
            raise UsageError(f"--balancer {self.balancer}: allowed are {HAPROXY} and {NGINX}")

    @property
    def members(self) -> int:
        """Machines that run nothing but etcd."""
        return MEMBER_COUNT if self.etcd == EXTERNAL else 0

    @property
    def kubernetes_machines(self) -> int:
        """Machines with a kubelet."""
        return self.control_planes + self.workers

    @property
    def bare_machines(self) -> int:
        """Machines without one: etcd or a load balancer is all that they run."""
        return self.members + self.load_balancers

    @property
    def shape(self) -> str:
        """As a person says it; what is ordinary is left out."""
        said = [f"{self.control_planes} control planes and {self.workers} workers"]
        said += ["external etcd"] if self.members else []
        said += [f"{self.load_balancers} load balancers"] if self.load_balancers else []
        said += ["Nginx"] if self.balancer == NGINX else []
        return ", ".join(said)


@dataclass(frozen=True)
class HostFacts:
    """What the host gives to its nodes; measured by ``host.facts``, invented by tests.

    Attributes:
        cgroup_version: 1 (also the hybrid layout) or 2 (unified).
        systemd: whether PID 1 of the host is systemd, so that runc can ask it for cgroups.
        capabilities: names as OCI writes them (``CAP_CHOWN``), those that this process may use.
        kernel_config: path of the kernel's configuration, which kubeadm verifies; None if absent.
        devices: which of /dev/kmsg, /dev/fuse, /dev/net/tun exist, as path -> (major, minor).
    """

    cgroup_version: int
    systemd: bool
    capabilities: tuple[str, ...]
    kernel_config: str | None
    devices: tuple[tuple[str, int, int], ...]

    @property
    def full_root(self) -> bool:
        """Whether the host gives CAP_SYS_RESOURCE, without which kubelet must run reduced."""
        return "CAP_SYS_RESOURCE" in self.capabilities

    @property
    def systemd_cgroups(self) -> bool:
        """Whether nodes and their kubelets use systemd as the cgroup driver."""
        return self.cgroup_version == 2 and self.systemd
