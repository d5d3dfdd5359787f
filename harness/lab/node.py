"""One machine of the lab: its files, its container, its power. Uses ``runc`` and ``mount``."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from quorate.harness.errors import LabError
from quorate.harness.lab import network, shell
from quorate.harness.lab.files import File
from quorate.harness.lab.plan import LabPlan, NodePlan
from quorate.harness.lab.spec import HostFacts

GO_DOWN_S = 120.0
"""systemd gives each unit 90 s to stop, and then kills it."""


def runc(plan: LabPlan, facts: HostFacts | None = None) -> list[str]:
    """The runc command with this lab's own state directory, so that only its nodes are in reach."""
    command = ["runc", "--root", str(plan.run / "runc")]
    if facts is not None and facts.systemd_cgroups:
        command.append("--systemd-cgroup")
    return command


def write_files(upper: Path, files: Sequence[File]) -> None:
    """Put files into a node's upper directory, replacing what is there."""
    for file in files:
        target = upper / file.path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        if file.link is not None:
            target.symlink_to(file.link)
        else:
            descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, file.mode)
            with os.fdopen(descriptor, "w") as handle:
                os.fchmod(handle.fileno(), file.mode)
                handle.write(file.content)
    for directory in ("root", "root/.ssh"):
        (upper / directory).mkdir(mode=0o700, exist_ok=True)
        (upper / directory).chmod(0o700)


def prepare(plan: LabPlan, node: NodePlan, *, files: Sequence[File], config: object) -> None:
    """Everything of a node that lies on disk, except the image store."""
    home = plan.node_home(node.name)
    for name in ("upper", "work", "root", "data/containerd", "data/kubelet", "data/etcd"):
        (home / name).mkdir(parents=True, exist_ok=True)
    (home / "data/etcd").chmod(0o700)
    write_files(home / "upper", files)
    (home / "config.json").write_text(json.dumps(config, indent=1))


def state(plan: LabPlan, name: str) -> str:
    """``running``, ``stopped`` (dead, not yet deleted) or ``absent``, as runc sees it."""
    try:
        answer = shell.run([*runc(plan), "state", plan.container(name)])
    except LabError:
        return "absent"
    return str(json.loads(answer)["status"])


def power_on(plan: LabPlan, node: NodePlan, facts: HostFacts, lower: Sequence[Path]) -> None:
    """Boot a node from what is on its disk. Nothing happens if it runs already; one that is going
    down is waited for, since it cannot restart by itself (a container may not call reboot(2)).

    Args:
        lower: the shared directories under the node's own files, topmost first.

    Raises:
        LabError: mount or runc failed.
    """
    if state(plan, node.name) == "running":
        if not _goes_down(plan, node.name):
            return
        shell.await_true(
            f"{node.name} goes down",
            lambda: state(plan, node.name) != "running",
            timeout_s=GO_DOWN_S,
        )
    power_off(plan, node.name)
    network.plug_in(plan, node)
    home = plan.node_home(node.name)
    layers = ":".join(str(path) for path in lower)
    options = f"lowerdir={layers},upperdir={home}/upper,workdir={home}/work"
    shell.run(
        ["mount", "-t", "overlay", "-o", options, f"quorate-{plan.spec.name}", f"{home}/root"]
    )
    log = home / "console.log"
    command = [*runc(plan, facts), "run", "--detach", "--bundle", str(home)]
    # runc hands its own streams to the node's init: a pipe would keep its reader waiting for ever.
    script = f'exec "$@" </dev/null >>"{log}" 2>&1'
    try:
        shell.run(["sh", "-c", script, "sh", *command, plan.container(node.name)], timeout_s=60)
    except LabError as error:
        tail = "\n".join(log.read_text().splitlines()[-5:])
        raise LabError(f"{node.name} does not boot:\n{tail}") from error


def _goes_down(plan: LabPlan, name: str) -> bool:
    """Whether its systemd is shutting down. So late that nothing can be asked any more, it is."""
    try:
        said = run(plan, name, ["sh", "-c", "systemctl is-system-running; cat /proc/1/comm"])
    except LabError:
        return True
    return "stopping" in said or "systemd-shutdow" in said


def power_off(plan: LabPlan, name: str) -> None:
    """Take a node's power: first its cable, so that no FIN and no farewell of a dying process
    leaves it, then every process at once. Nothing happens to a node that is off.

    Raises:
        LabError: something of the node is still there afterwards.
    """
    if network.is_connected(plan, name):
        network.cut(plan, name)
    container = plan.container(name)
    if state(plan, name) == "running":
        shell.run([*runc(plan), "kill", container, "KILL"])
        shell.await_true(f"{name} dies", lambda: state(plan, name) != "running", timeout_s=20)
    if state(plan, name) != "absent":
        shell.run([*runc(plan), "delete", "--force", container])
    remove_cgroups(f"{plan.spec.name}/{name}")
    unmount(plan.node_home(name) / "root")
    network.remove_namespace(plan.namespace(name))


def remove_cgroups(below: str) -> None:
    """Remove empty cgroups of ours: runc leaves parents, a host that lost /run leaves all of them.

    Args:
        below: the lab, or lab and node; an empty string stands for what all labs share.
    """
    mounted = Path("/sys/fs/cgroup")
    for base in (mounted, *mounted.glob("*/")):
        for here, _, _ in os.walk(base / "quorate" / below, topdown=False):
            with contextlib.suppress(OSError):  # EBUSY: another lab's, or somebody is inside
                os.rmdir(here)


def unmount(root: Path) -> None:
    """Unmount what is mounted at exactly this directory, as often as it is."""
    for _ in range(16):
        if not os.path.ismount(root):
            return
        shell.run(["umount", str(root)])
    raise LabError(f"{root} is still mounted")


def remove(plan: LabPlan, name: str) -> None:
    """Delete a node's directory; refused while something is mounted below it.

    Raises:
        LabError: a mount of this host lies in the directory.
    """
    home = plan.node_home(name)
    with open("/proc/self/mountinfo") as table:
        mounts = [line.split()[4] for line in table]
    inside = [mount for mount in mounts if Path(mount).is_relative_to(home)]
    if inside:
        raise LabError(f"not removed, still mounted: {', '.join(inside)}")
    if home.exists():
        shutil.rmtree(home)


def console(plan: LabPlan, name: str, argv: Sequence[str]) -> list[str]:
    """The command that runs ``argv`` on a node out of band (not by its network)."""
    path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return [*runc(plan), "exec", "--env", path, "--env", "HOME=/root", plan.container(name), *argv]


def run(
    plan: LabPlan, name: str, argv: Sequence[str], *, timeout_s: float = 60.0, stdin: str = ""
) -> str:
    """Run a command on a node by its console and return what it printed."""
    return shell.run(console(plan, name, argv), timeout_s=timeout_s, stdin=stdin)
