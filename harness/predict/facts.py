"""What the formulas need to know, as read from the configuration files of a cluster.

Defaults are those of the programs themselves; times in seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class VrrpScript:
    """A ``vrrp_script`` (defaults: keepalived.conf(5), vrrp_track.h: 1 s, rise 1, fall 1, 0)."""

    name: str
    interval_s: float = 1.0
    timeout_s: float | None = None
    rise: int = 1
    fall: int = 1
    weight: int = 0
    script: str = ""


@dataclass(frozen=True)
class VrrpInstance:
    """A ``vrrp_instance`` (defaults: priority 100, adverts 1 s, three of them, version 2)."""

    name: str
    interface: str = ""
    state: str = "BACKUP"
    nopreempt: bool = False
    virtual_router_id: int = 0
    priority: int = 100
    advert_int_s: float = 1.0
    down_timer_adverts: int = 3
    version: int = 2
    unicast_peers: tuple[str, ...] = ()
    virtual_addresses: tuple[str, ...] = ()
    track_scripts: tuple[str, ...] = ()


@dataclass(frozen=True)
class KeepalivedFacts:
    """One node's keepalived.conf."""

    instances: tuple[VrrpInstance, ...]
    scripts: Mapping[str, VrrpScript] = field(default_factory=dict)

    def holding(self, address: str, /) -> VrrpInstance | None:
        """The instance that carries a virtual address, None where there is none."""
        for instance in self.instances:
            if any(item.split("/")[0] == address for item in instance.virtual_addresses):
                return instance
        return None


@dataclass(frozen=True)
class HaproxyServer:
    """A ``server`` line, with what it inherits (defaults: inter 2 s, fall 3, rise 2)."""

    name: str
    address: str
    port: int
    check: bool = False
    inter_s: float = 2.0
    fastinter_s: float | None = None
    downinter_s: float | None = None
    fall: int = 3
    rise: int = 2
    check_ssl: bool = False
    shutdown_sessions: bool = False


@dataclass(frozen=True)
class HaproxyBackend:
    """A ``backend`` or ``listen``; a timeout that is not set is None.

    ``check_path``: of the HTTP check, None where only TCP is checked. ``redispatch_after``: which
    retry goes to another server; -1 is the last one (configuration.txt, "option redispatch").
    """

    name: str
    servers: tuple[HaproxyServer, ...]
    check_path: str | None = None
    timeout_connect_s: float | None = None
    timeout_check_s: float | None = None
    timeout_client_s: float | None = None
    timeout_server_s: float | None = None
    redispatch: bool = False
    redispatch_after: int = -1
    retries: int = 3


@dataclass(frozen=True)
class HaproxyFacts:
    """One node's haproxy.cfg. ``binds``: port → the backend that it leads to."""

    backends: Mapping[str, HaproxyBackend]
    binds: Mapping[int, str] = field(default_factory=dict)

    def behind(self, port: int, /) -> HaproxyBackend | None:
        """The backend behind a port, None where there is none."""
        return self.backends.get(self.binds.get(port, ""))


@dataclass(frozen=True)
class NginxServer:
    """A ``server`` of an ``upstream`` (defaults: ngx_stream_upstream_module)."""

    address: str
    port: int
    max_fails: int = 1
    fail_timeout_s: float = 10.0


@dataclass(frozen=True)
class NginxProxy:
    """A ``server`` of the stream module (defaults: ngx_stream_proxy_module). `name`: what it passes
    to. 0 tries and a timeout of 0 mean: no limit."""

    name: str
    servers: tuple[NginxServer, ...]
    connect_timeout_s: float = 60.0
    timeout_s: float = 600.0
    next_upstream: bool = True
    next_upstream_tries: int = 0
    next_upstream_timeout_s: float = 0.0


@dataclass(frozen=True)
class NginxFacts:
    """One node's nginx.conf. ``proxies``: port → what listens there."""

    proxies: Mapping[int, NginxProxy] = field(default_factory=dict)

    def behind(self, port: int, /) -> NginxProxy | None:
        """What listens on a port, None where it is nothing that is read."""
        return self.proxies.get(port)


@dataclass(frozen=True)
class EtcdFacts:
    """Timers of the members (defaults: etcd embed/config.go)."""

    heartbeat_s: float = 0.1
    election_s: float = 1.0


@dataclass(frozen=True)
class ApiserverFacts:
    """A kube-apiserver's flags (defaults: apiserver config.go, storagebackend/config.go).

    ``etcd_check_s``: how long a health check waits for etcd. It asks etcd once in half of that,
    and in between repeats the last answer (storagebackend/factory/etcd3.go, newETCD3Check).
    """

    etcd_servers: tuple[str, ...] = ()
    shutdown_delay_s: float = 0.0
    etcd_check_s: float = 2.0


@dataclass(frozen=True)
class ElectionFacts:
    """How a controller elects (defaults: component-base config/v1alpha1/defaults.go)."""

    elects: bool = True
    retry_s: float = 2.0


@dataclass(frozen=True)
class LifecycleFacts:
    """When a silent node is given up (kube-controller-manager's flags).

    ``grace_s``: None where the flag is not set and the version, which decides, is not known.
    """

    grace_s: float | None
    monitor_s: float = 5.0


@dataclass(frozen=True)
class KubeletFacts:
    """One node's kubelet (defaults: kubelet config/v1beta1/defaults.go).

    ``report_s``: how often it reports its status although nothing has changed.
    """

    lease_s: float = 40.0
    report_s: float = 300.0

    @property
    def beat_s(self) -> float:
        """The longest that its node says nothing: a quarter of its Lease passes between renewals
        (kubelet.go, nodeLeaseRenewIntervalFraction), and a report counts as well."""
        return min(0.25 * self.lease_s, self.report_s)


@dataclass(frozen=True)
class PodFacts:
    """One pod. ``pre_stop_s`` is None where what its preStop does has no length that can be read;
    ``unreachable_s``: how long it is left on a node that is unreachable, None for ever."""

    name: str
    node: str
    ready: bool = True
    leaves: bool = True
    """Whether a drain moves it."""
    pre_stop_s: float | None = 0.0
    grace_s: float = 30.0
    unreachable_s: float | None = None
    budgets: tuple[tuple[str, int], ...] = ()
    """Name of each PodDisruptionBudget over it, and how many evictions that allows now."""
