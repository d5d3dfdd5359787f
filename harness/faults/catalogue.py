"""Every fault and every arrangement, by name. A new one is a file beside this and a line here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from quorate.harness.errors import SpecError
from quorate.harness.faults.apiserver_isolate import ApiserverIsolate
from quorate.harness.faults.apiserver_kill import ApiserverKill
from quorate.harness.faults.apiserver_pause import ApiserverPause
from quorate.harness.faults.apiserver_stop import ApiserverStop
from quorate.harness.faults.arrangements.acts_do_nothing import ActsDoNothing
from quorate.harness.faults.arrangements.haproxy_checks_off import HaproxyChecksOff
from quorate.harness.faults.arrangements.haproxy_checks_slow import HaproxyChecksSlow
from quorate.harness.faults.arrangements.haproxy_checks_tcp_only import HaproxyChecksTcpOnly
from quorate.harness.faults.arrangements.keepalived_backups_stopped import KeepalivedBackupsStopped
from quorate.harness.faults.arrangements.leader_election_off import LeaderElectionOff
from quorate.harness.faults.arrangements.leases_short import LeasesShort
from quorate.harness.faults.arrangements.one_coredns import OneCoredns
from quorate.harness.faults.arrangements.one_replica import OneReplica
from quorate.harness.faults.arrangements.pdb_zero import PdbZero
from quorate.harness.faults.arrangements.replicas_on_one_node import ReplicasOnOneNode
from quorate.harness.faults.arrangements.service_deployed import ServiceDeployed
from quorate.harness.faults.arrangements.service_without_pre_stop import ServiceWithoutPreStop
from quorate.harness.faults.arrangements.vrrp_adverts_slow import VrrpAdvertsSlow
from quorate.harness.faults.arrangements.vrrp_same_priorities import VrrpSamePriorities
from quorate.harness.faults.arrangements.vrrp_script_slow import VrrpScriptSlow
from quorate.harness.faults.container_runtime_stop import ContainerRuntimeStop
from quorate.harness.faults.contract import Arrangement, Fault, Parameter
from quorate.harness.faults.controller_manager_kill import ControllerManagerKill
from quorate.harness.faults.controller_manager_pause import ControllerManagerPause
from quorate.harness.faults.coredns_kill import CorednsKill
from quorate.harness.faults.etcd_isolate import EtcdIsolate
from quorate.harness.faults.etcd_kill import EtcdKill
from quorate.harness.faults.etcd_partition import EtcdPartition
from quorate.harness.faults.etcd_pause import EtcdPause
from quorate.harness.faults.etcd_quorum_loss import EtcdQuorumLoss
from quorate.harness.faults.haproxy_drain_backend import HaproxyDrainBackend
from quorate.harness.faults.haproxy_kill import HaproxyKill
from quorate.harness.faults.haproxy_pause import HaproxyPause
from quorate.harness.faults.kubelet_stop import KubeletStop
from quorate.harness.faults.nginx_kill import NginxKill
from quorate.harness.faults.nginx_pause import NginxPause
from quorate.harness.faults.node_isolate import NodeIsolate
from quorate.harness.faults.node_power_off import NodePowerOff
from quorate.harness.faults.node_reboot import NodeReboot
from quorate.harness.faults.pod_kill import PodKill
from quorate.harness.faults.scheduler_kill import SchedulerKill
from quorate.harness.faults.scheduler_pause import SchedulerPause
from quorate.harness.faults.vip_drop import VipDrop
from quorate.harness.faults.vip_isolate import VipIsolate
from quorate.harness.faults.vrrp_block import VrrpBlock
from quorate.harness.faults.worker_drain import WorkerDrain
from quorate.harness.model.experiment import Experiment

FAULTS: Mapping[str, Fault] = MappingProxyType(
    {
        fault.name: fault
        for fault in (
            NodePowerOff(),
            VrrpBlock(),
            VipIsolate(),
            NodeIsolate(),
            EtcdQuorumLoss(),
            EtcdPartition(),
            EtcdIsolate(),
            ApiserverIsolate(),
            WorkerDrain(),
            ApiserverKill(),
            ApiserverPause(),
            EtcdKill(),
            EtcdPause(),
            HaproxyKill(),
            HaproxyPause(),
            NginxKill(),
            NginxPause(),
            VipDrop(),
            HaproxyDrainBackend(),
            KubeletStop(),
            ContainerRuntimeStop(),
            ApiserverStop(),
            SchedulerKill(),
            ControllerManagerKill(),
            SchedulerPause(),
            ControllerManagerPause(),
            PodKill(),
            CorednsKill(),
            NodeReboot(),
        )
    }
)

ARRANGEMENTS: Mapping[str, Arrangement] = MappingProxyType(
    {
        one.name: one
        for one in (
            ActsDoNothing(),
            HaproxyChecksOff(),
            HaproxyChecksSlow(),
            HaproxyChecksTcpOnly(),
            KeepalivedBackupsStopped(),
            LeaderElectionOff(),
            LeasesShort(),
            OneCoredns(),
            OneReplica(),
            PdbZero(),
            ReplicasOnOneNode(),
            ServiceDeployed(),
            ServiceWithoutPreStop(),
            VrrpAdvertsSlow(),
            VrrpSamePriorities(),
            VrrpScriptSlow(),
        )
    }
)

LONGEST_S = 1800.0
"""Of any duration that an experiment gives: what is on stays on for so long at worst, and the
waits that follow from it must fit where an undo takes them."""

UNTIL = ("recovered", "whole")
TARGET = Parameter("target", str, text="a target word: vip-holder, etcd-leader, node:<name>, …")
WATCH = (
    Parameter("watch_until", str, "recovered", "recovered, or whole", words=UNTIL),
    Parameter("at_most_s", float, 60.0, "seconds (above 0) after which the watch ends anyway"),
)
STEPS: Mapping[str, tuple[Parameter, ...]] = MappingProxyType(
    {
        "undo": (
            Parameter("watch_until", str, "whole", "whole, or recovered", words=UNTIL),
            Parameter("at_most_s", float, 120.0, "seconds (above 0) after which it ends anyway"),
        ),
        "watch": (Parameter("for_s", float, 20.0, "seconds (above 0)"),),
    }
)
"""What a method can hold beside faults."""


def parameters_of(name: str) -> tuple[Parameter, ...]:
    """The arguments of a fault or a step, in the order of its signature; KeyError if unknown."""
    if name in STEPS:
        return STEPS[name]
    return (TARGET, *FAULTS[name].parameters, *WATCH)


def known_functions() -> dict[str, Sequence[str]]:
    """Function → argument names: what an experiment's method may say."""
    return {name: [p.name for p in parameters_of(name)] for name in (*FAULTS, *STEPS)}


def check_arguments(experiment: Experiment) -> None:
    """Check the values that a method gives; SpecError with the field's path for the first bad one.

    Names are checked where the experiment is read, by `known_functions`.
    """
    for index, step in enumerate(experiment.method):
        if step.kind == "foreign":
            continue
        for one in parameters_of(step.func):
            field = f"method[{index}].provider.arguments"
            if one.name not in step.arguments:
                if one.default is ...:
                    raise SpecError(None, field=field, found=f"no {one.name}", allowed=one.text)
                continue
            value = step.arguments[one.name]
            if not _fits(value, one):
                most = f", {LONGEST_S:g} at most" if one.type is float else ""
                raise SpecError(
                    None, field=f"{field}.{one.name}", found=repr(value), allowed=one.text + most
                )


def _fits(value: object, one: Parameter) -> bool:
    if one.words:
        return value in one.words
    if one.type is float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return 0 < value <= LONGEST_S
    return isinstance(value, one.type) and not (one.type is int and isinstance(value, bool))
