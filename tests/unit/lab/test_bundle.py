"""A node's container: what it may do to the host's kernel, on both kinds of host."""

from __future__ import annotations

from typing import Any

import pytest

from quorate.harness.lab import bundle
from quorate.harness.lab.plan import LabPlan
from quorate.harness.lab.spec import HostFacts


def _config(plan: LabPlan, facts: HostFacts) -> Any:
    return bundle.config(plan, plan.nodes[0], facts)


@pytest.fixture(params=["ordinary", "confined"])
def facts(request: pytest.FixtureRequest) -> HostFacts:
    value: HostFacts = request.getfixturevalue(request.param)
    return value


def test_no_node_may_set_the_clock_boot_or_load_modules(plan: LabPlan, facts: HostFacts) -> None:
    for granted in _config(plan, facts)["process"]["capabilities"].values():
        assert not {"CAP_SYS_TIME", "CAP_SYS_BOOT", "CAP_SYS_MODULE"} & set(granted)
        assert "CAP_SYS_ADMIN" in granted
        assert set(granted) <= set(facts.capabilities), "runc fails for one that the host lacks"


def test_the_kernels_settings_are_read_only_except_the_networks(
    plan: LabPlan, facts: HostFacts
) -> None:
    linux = _config(plan, facts)["linux"]
    for path in ("kernel", "vm", "fs"):
        assert f"/proc/sys/{path}" in linux["readonlyPaths"]
    assert not any(path.startswith("/proc/sys/net") for path in linux["readonlyPaths"])
    assert "/proc/sys" not in linux["readonlyPaths"]


def test_sysrq_is_refused_and_not_swallowed(plan: LabPlan, facts: HostFacts) -> None:
    linux = _config(plan, facts)["linux"]
    assert "/proc/sysrq-trigger" in linux["readonlyPaths"]
    assert "/proc/sysrq-trigger" not in linux["maskedPaths"]


def test_binds_are_private_before_they_are_shared(plan: LabPlan, facts: HostFacts) -> None:
    """In the other order kubelet's mounts appear, and stay, on a host whose / is shared."""
    binds = [m for m in _config(plan, facts)["mounts"] if m["destination"].startswith("/var/lib/")]
    assert {m["destination"] for m in binds} == {
        "/var/lib/containerd", "/var/lib/kubelet", "/var/lib/etcd",
    }  # fmt: skip
    for mount in binds:
        options = mount["options"]
        assert options.index("rprivate") < options.index("rshared")


def test_every_namespace_is_the_nodes_own(plan: LabPlan, facts: HostFacts) -> None:
    namespaces = {
        each["type"]: each.get("path") for each in _config(plan, facts)["linux"]["namespaces"]
    }
    assert set(namespaces) == {"pid", "mount", "uts", "ipc", "cgroup", "network"}
    assert namespaces["network"] == "/run/quorate/quorate/net/cp1"


def test_cgroup_v2_with_systemd(plan: LabPlan, ordinary: HostFacts) -> None:
    linux = _config(plan, ordinary)["linux"]
    assert linux["cgroupsPath"] == "system.slice:quorate:quorate-cp1"
    assert linux["resources"]["pids"] == {"limit": -1}
    assert any(m["destination"] == "/boot/config-6.1" for m in _config(plan, ordinary)["mounts"])


def test_cgroup_v1(plan: LabPlan, confined: HostFacts) -> None:
    linux = _config(plan, confined)["linux"]
    assert linux["cgroupsPath"] == "/quorate/quorate/cp1"
    assert "pids" not in linux["resources"]
