"""Every fault and every arrangement, by name. A new one is a file beside this and a line here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from quorate.harness.errors import SpecError
from quorate.harness.faults.apiserver_isolate import ApiserverIsolate
from quorate.harness.faults.apiserver_kill import ApiserverKill
from quorate.harness.faults.apiserver_pause import ApiserverPause
from quorate.harness.faults.apiserver_stop import ApiserverStop
from quorate.harness.faults.arrangements.acts_do_nothing import ActsDoNothing
from quorate.harness.faults.arrangements.certificate_expiring import CertificateExpiring
from quorate.harness.faults.arrangements.etcd_learner import EtcdLearner
from quorate.harness.faults.arrangements.etcd_member_misplaced import EtcdMemberMisplaced
from quorate.harness.faults.arrangements.haproxy_checks_off import HaproxyChecksOff
from quorate.harness.faults.arrangements.haproxy_checks_slow import HaproxyChecksSlow
from quorate.harness.faults.arrangements.haproxy_checks_tcp_only import HaproxyChecksTcpOnly
from quorate.harness.faults.arrangements.haproxy_redispatch_off import HaproxyRedispatchOff
from quorate.harness.faults.arrangements.keepalived_backups_stopped import KeepalivedBackupsStopped
from quorate.harness.faults.arrangements.kubelet_at_one_apiserver import KubeletAtOneApiserver
from quorate.harness.faults.arrangements.leader_election_off import LeaderElectionOff
from quorate.harness.faults.arrangements.leases_short import LeasesShort
from quorate.harness.faults.arrangements.one_coredns import OneCoredns
from quorate.harness.faults.arrangements.one_replica import OneReplica
from quorate.harness.faults.arrangements.pdb_zero import PdbZero
from quorate.harness.faults.arrangements.replicas_on_one_node import ReplicasOnOneNode
from quorate.harness.faults.arrangements.service_deployed import ServiceDeployed
from quorate.harness.faults.arrangements.service_without_pre_stop import ServiceWithoutPreStop
from quorate.harness.faults.arrangements.vrrp_adverts_mismatch import VrrpAdvertsMismatch
from quorate.harness.faults.arrangements.vrrp_adverts_slow import VrrpAdvertsSlow
from quorate.harness.faults.arrangements.vrrp_id_clash import VrrpIdClash
from quorate.harness.faults.arrangements.vrrp_same_priorities import VrrpSamePriorities
from quorate.harness.faults.arrangements.vrrp_script_slow import VrrpScriptSlow
from quorate.harness.faults.arrangements.webhook_of_one_replica import WebhookOfOneReplica
from quorate.harness.faults.container_runtime_stop import ContainerRuntimeStop
from quorate.harness.faults.contract import LONGEST_LOOK_S, Arrangement, Fault, Parameter
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
from quorate.harness.model.experiment import UPGRADED, Activity, Experiment

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
            CertificateExpiring(),
            EtcdLearner(),
            EtcdMemberMisplaced(),
            HaproxyChecksOff(),
            HaproxyChecksSlow(),
            HaproxyChecksTcpOnly(),
            HaproxyRedispatchOff(),
            KeepalivedBackupsStopped(),
            KubeletAtOneApiserver(),
            LeaderElectionOff(),
            LeasesShort(),
            OneCoredns(),
            OneReplica(),
            PdbZero(),
            ReplicasOnOneNode(),
            ServiceDeployed(),
            ServiceWithoutPreStop(),
            VrrpAdvertsMismatch(),
            VrrpAdvertsSlow(),
            VrrpIdClash(),
            VrrpSamePriorities(),
            VrrpScriptSlow(),
            WebhookOfOneReplica(),
        )
    }
)

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
        "watch": (
            Parameter("for_s", float, 20.0, "seconds (above 0)", longest_s=LONGEST_LOOK_S),
            Parameter(
                "watch_until",
                str,
                "",
                f"{UPGRADED}: until somebody's own upgrade is over (in place of for_s)",
                words=(UPGRADED,),
            ),
            Parameter(
                "at_most_s",
                float,
                None,
                f"with watch_until: {UPGRADED}, seconds (above 0) after which it ends anyway",
                longest_s=LONGEST_LOOK_S,
            ),
            Parameter("nodes", str, "all", "all, or control-plane", words=("all", "control-plane")),
        ),
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


def known_arrangements() -> dict[str, Sequence[str]]:
    """Arrangement → argument names: what an experiment's `given` may say."""
    return {name: [p.name for p in one.parameters] for name, one in ARRANGEMENTS.items()}


def check_arguments(experiment: Experiment) -> None:
    """Check the values that a method and `given` hold; SpecError with the field's path for the
    first bad one.

    Names are checked where the experiment is read, by `known_functions` and `known_arrangements`.
    """
    for index, step in enumerate(experiment.method):
        if step.kind != "foreign":
            bad = _first_bad(parameters_of(step.func), step.arguments) or _bad_watch(step)
            if bad is not None:
                field = f"method[{index}].provider.arguments"
                field += f".{bad.name}" if bad.name in step.arguments else ""
                raise SpecError(None, field=field, found=bad.found, allowed=bad.allowed)
    for given in experiment.given:
        bad = _first_bad(ARRANGEMENTS[given.name].parameters, given.arguments)
        if bad is not None:
            found = f"given {given.name} with {bad.name}: {bad.found}"
            raise SpecError(None, field="extensions", found=found, allowed=bad.allowed)


class _Bad(NamedTuple):
    """An argument that is missing, or is none such."""

    name: str
    found: str
    allowed: str


def _first_bad(parameters: Sequence[Parameter], arguments: Mapping[str, object]) -> _Bad | None:
    for one in parameters:
        if one.name in arguments:
            value = arguments[one.name]
            if not _fits(value, one):
                most = f", {one.longest_s:g} at most" if one.type is float else ""
                return _Bad(one.name, repr(value), one.text + most)
        elif one.default is ...:
            return _Bad(one.name, f"no {one.name}", one.text)
    return None


def _bad_watch(step: Activity) -> _Bad | None:
    """A watch lasts for_s, or until something, which takes at_most_s; not both."""
    given = step.arguments
    if step.awaits_upgrade:
        if "for_s" in given:
            return _Bad("for_s", f"for_s with watch_until: {UPGRADED}", "at_most_s in its place")
        if "at_most_s" not in given:
            allowed = f"the longest that it waits for the upgrade, {LONGEST_LOOK_S:g} at most"
            return _Bad("at_most_s", "no at_most_s", allowed)
    elif step.kind == "watch":
        for name in ("at_most_s", "nodes"):
            if name in given:
                return _Bad(name, f"{name} alone", f"{name} with watch_until: {UPGRADED}")
    return None


def _fits(value: object, one: Parameter) -> bool:
    if one.words:
        return value in one.words
    if one.type is float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return 0 < value <= one.longest_s
    if one.type is int:
        return isinstance(value, int) and not isinstance(value, bool) and value > 0
    return isinstance(value, one.type)
