"""The life of a lab: up, start, stop, down, and the power switch.

::

    absent --up--> building --whole--> running --stop--> stopped --start--> running
       ^              |                   |                 |
       +----down------+-------down--------+------down-------+

A host reboot turns running into stopped. A crash in ``building`` is cleared by the next up or down.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import fcntl
import secrets
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from quorate.harness.cluster.namespace import is_network_namespace
from quorate.harness.errors import LabError, RefusedError
from quorate.harness.lab import (
    bundle,
    etcd_pki,
    files,
    host,
    images,
    keys,
    kubernetes,
    network,
    node,
    output,
    parts,
    rootfs,
    shell,
    state,
)  # fmt: skip
from quorate.harness.lab.plan import LabPlan, NodePlan
from quorate.harness.lab.spec import HostFacts, LabSpec
from quorate.harness.lab.state import Lab


def up(spec: LabSpec, progress: shell.Progress, *, fix_host: bool) -> Lab:
    """Make a lab and wait until its cluster is whole; start it if it is on disk and stopped.

    On an error or an interrupt everything that was made is removed again.

    Raises:
        PreflightError: the host lacks something; nothing was made.
        RefusedError: a lab of this name runs, or is being changed.
        LabError: a step failed.
    """
    with state.exclusive(spec.name):
        if (existing := _existing(spec, progress)) is not None:
            host.check(spec, existing.plan.home, fix_host=fix_host)
            _start(existing, progress)
            return existing
        plan = state.plan_for(spec, secrets.token_hex(16))
        host.check(spec, plan.home, fix_host=fix_host)
        lower, bare, store = shared(spec, progress)
        lab = Lab(plan, lower, store, fix_host, state.BUILDING, bare)
        lab.save()
        try:
            _build(lab, progress)
        except BaseException:
            progress.say("failed or interrupted: removing what was made")
            _down(plan)
            raise
        lab = dataclasses.replace(lab, stage=state.READY)
        lab.save()
        return lab


def _existing(spec: LabSpec, progress: shell.Progress) -> Lab | None:
    """The lab of this name if it is on disk and stopped; what a crash left of one is removed."""
    if spec.name not in state.names():
        return None
    lab = state.load(spec.name)
    if lab.stage != state.READY:
        progress.say("an earlier lab up did not finish: removing what it left")
        _down(lab.plan)
        return None
    if (now := status(lab)) == "partial":
        raise RefusedError(f"lab {spec.name!r} is partly up; quorate lab start makes it whole")
    if now != "stopped":
        raise RefusedError(
            f"lab {spec.name!r} runs already; quorate lab down --name {spec.name} ends it, "
            "--name gives another one a name of its own"
        )
    if lab.plan.spec.shape != spec.shape:
        raise RefusedError(
            f"lab {spec.name!r} is on disk with {lab.plan.spec.shape}; "
            "start it (quorate lab start) or end it (lab down)"
        )
    return lab


def shared(
    spec: LabSpec, progress: shell.Progress
) -> tuple[tuple[Path, ...], tuple[Path, ...], Path]:
    """Everything that labs share, from the cache or made: layers topmost first, the same for
    machines without a kubelet (none where the lab has no such machine), image store."""
    versions = spec.versions
    cache = parts.cache_directory()
    bins: dict[str, Path] = {}
    for part in parts.parts(versions, parts.machine_arch()):
        directory = parts.resolve(part, cache, progress)
        bins |= {name: directory / name for name in part.programs}
    root = rootfs.build_root(cache, progress)
    layer = rootfs.build_layer(cache, bins, progress)
    bare = (rootfs.build_bare_layer(cache, bins, progress), root) if spec.bare_machines else ()
    store = images.build_store(cache, images.images(versions, bins, root), bins, progress)
    return (layer, root), bare, store


def _build(lab: Lab, progress: shell.Progress) -> None:
    plan, facts = lab.plan, host.facts()
    since = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    with progress.step(f"disks of {len(plan.nodes)} machines"):
        made, certificates = keys.make(plan), etcd_pki.make(plan)
        for each in plan.nodes:
            own = files.node_files(plan, each, facts, made[each.name])
            own += certificates.get(each.name, [])
            if each.has_kubelet:
                kubeadm = files.kubeadm_config(plan, each, facts)
                own.append(files.File(kubernetes.CONFIG, kubeadm, 0o600))
            node.prepare(plan, each, files=own, config=bundle.config(plan, each, facts))
            if each.has_kubelet:
                images.clone_store(lab.store, plan.node_home(each.name) / "data/containerd")
    _boot(lab, progress)
    kubernetes.build(plan, progress)
    with progress.step("every node and pod ready"):
        kubernetes.await_whole(plan, since)
    output.write(plan)


def _boot(lab: Lab, progress: shell.Progress) -> None:
    plan, facts = lab.plan, host.facts()
    if lab.fix_host:
        host.raise_limits(plan.spec, state.limits_record())
    with progress.step(f"boot {len(plan.nodes)} machines"):
        network.make_switch(plan)
        network.make_client(plan)
        with ThreadPoolExecutor(len(plan.nodes)) as pool:
            list(pool.map(lambda each: _power_on(lab, each, facts), plan.nodes))


def _power_on(lab: Lab, machine: NodePlan, facts: HostFacts) -> None:
    node.power_on(lab.plan, machine, facts, lab.lower_of(machine))


def start(name: str, progress: shell.Progress) -> Lab:
    """Boot every machine of a stopped lab and wait until its cluster is whole.

    Raises:
        LabError: no such lab, or it did not become whole.
        RefusedError: it is being changed.
    """
    with state.exclusive(name):
        lab = state.load(name)
        if lab.stage != state.READY:
            raise LabError(f"lab {name!r} was never finished; quorate lab up --name {name}")
        if (now := status(lab)) == "partial":
            _power_on_missing(lab, progress)
        elif now != "running":
            host.check(lab.plan.spec, lab.plan.home, fix_host=lab.fix_host)
            _start(lab, progress)
        return lab


def _power_on_missing(lab: Lab, progress: shell.Progress) -> None:
    """Boot the machines that are off, leave the others alone."""
    facts, since = host.facts(), datetime.datetime.min.replace(tzinfo=datetime.UTC)
    with progress.step("power on the machines that are off"):
        for each in lab.plan.nodes:
            _power_on(lab, each, facts)
    with progress.step("every node and pod ready"):
        kubernetes.await_whole(lab.plan, since)


def _start(lab: Lab, progress: shell.Progress) -> None:
    _power_cut(lab.plan)  # clears a half-started lab and what a host reboot left on disk
    since = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    _boot(lab, progress)
    with progress.step("every node and pod ready"):
        kubernetes.await_whole(lab.plan, since)
    output.write(lab.plan)


def stop(name: str, progress: shell.Progress) -> None:
    """Cut the power of every machine; the lab stays on disk.

    Raises:
        LabError: no such lab, or something of it is still there.
        RefusedError: it is being changed.
    """
    with state.exclusive(name):
        lab = state.load(name)
        with progress.step(f"power off {len(lab.plan.nodes)} machines"):
            _power_cut(lab.plan)
        put_back_limits()


def down(name: str, progress: shell.Progress) -> None:
    """Remove a lab and everything it made, whatever state a crash left it in.

    Raises:
        LabError: something of it is still there; it is named.
        RefusedError: it is being changed.
    """
    with state.exclusive(name):
        lab = state.load(name)
        with progress.step(f"remove lab {name!r}"):
            _down(lab.plan)
        with contextlib.suppress(FileNotFoundError):
            (state.labs_directory() / f"{name}.lock").unlink()


def _power_cut(plan: LabPlan) -> None:
    with ThreadPoolExecutor(len(plan.nodes)) as pool:
        list(pool.map(lambda each: node.power_off(plan, each.name), plan.nodes))
    for name in (network.CLIENT, network.SWITCH):
        network.remove_namespace(plan.namespace(name))


def _down(plan: LabPlan) -> None:
    _power_cut(plan)
    for each in plan.nodes:
        node.remove(plan, each.name)
    node.remove_cgroups(plan.spec.name)
    node.remove_cgroups("")
    for directory in (plan.run, plan.home):
        if directory.exists():
            shutil.rmtree(directory)
    with contextlib.suppress(OSError):
        state.RUNTIME.rmdir()  # stays while another lab has something in it
    put_back_limits()


def put_back_limits() -> None:
    """The host's limits as they were before any lab, unless one is running."""
    others = [name for name in state.names() if status(state.load(name)) != "stopped"]
    if not others:
        host.put_back_limits(state.limits_record())


def machines(lab: Lab) -> dict[str, str]:
    """Each machine and the state of its container; ``absent`` when it is off."""
    return {each.name: node.state(lab.plan, each.name) for each in lab.plan.nodes}


def status(lab: Lab) -> str:
    """``running`` (every machine), ``partial``, ``stopped`` or ``building``."""
    return status_of(lab, list(machines(lab).values()))


def status_of(lab: Lab, states: Sequence[str]) -> str:
    """`status`, for machines that were looked at already."""
    if lab.stage != state.READY:
        return "building"
    if all(each == "running" for each in states):
        return "running"
    return "stopped" if "running" not in states else "partial"


@contextlib.contextmanager
def _switch_held(plan: LabPlan, name: str) -> Iterator[None]:
    with (plan.node_home(name) / "power.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def power(name: str, action: str, target: str) -> None:
    """The power switch of one machine: ``on`` or ``off``; the same twice does nothing.

    Raises:
        LabError: no such lab or machine, or the lab is stopped.
    """
    lab = state.load(name)
    plan = lab.plan
    machine = find(plan, target)
    if not is_network_namespace(plan.namespace(network.SWITCH)):
        raise LabError(f"lab {name!r} is stopped; quorate lab start --name {name}")
    with _switch_held(plan, target):
        if action == "off":
            node.power_off(plan, target)
        else:
            _power_on(lab, machine, host.facts())


def find(plan: LabPlan, name: str) -> NodePlan:
    """The machine of this name.

    Raises:
        LabError: there is none; the message lists those that are.
    """
    machine = plan.node(name)
    if machine is None:
        known = ", ".join(each.name for each in plan.nodes)
        raise LabError(f"lab {plan.spec.name!r} has no node {name!r}; it has {known}")
    return machine
