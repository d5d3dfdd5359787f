"""A newer Kubernetes on the machines of a lab, as far as it lies there before kubeadm takes over.

On a machine of one's own a package does this: the programs of the new version replace the old ones
on disk (what runs goes on with the old), and the images that kubeadm will ask for are there,
because nothing can be pulled in a lab.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from quorate.harness.errors import UsageError
from quorate.harness.lab import images, life, node, parts, rootfs, shell, state
from quorate.harness.lab.plan import LabPlan, NodePlan
from quorate.harness.lab.spec import UPGRADES, Versions

PROGRAMS = ("kubeadm", "kubelet", "kubectl")
EVERYWHERE = ("kube-proxy", "coredns")
"""Images that a worker needs too."""

IMPORT_TIMEOUT_S = 180.0


def provide(
    name: str, version: str, nodes: Sequence[str], progress: shell.Progress
) -> tuple[str, ...]:
    """Put programs and images of ``version`` on running machines of a lab; all, if none is named.

    Returns the machines' names. Harmless where it was done before.

    Raises:
        UsageError: a version or a machine that there is not.
        LabError: a part cannot be had, or a machine is off.
    """
    if version not in UPGRADES:
        raise UsageError(f"a lab can be upgraded to {', '.join(UPGRADES)}, not to {version!r}")
    lab = state.load(name)
    machines = [life.find(lab.plan, each) for each in nodes] or list(lab.plan.nodes)
    cache, versions = parts.cache_directory(), UPGRADES[version]
    bins: dict[str, Path] = {}
    for part in parts.parts(versions, parts.machine_arch()):
        directory = parts.resolve(part, cache, progress)
        bins |= {program: directory / program for program in part.programs}
    wanted = _new(versions, bins, root=rootfs.build_root(cache, progress), old=lab.plan)
    with tempfile.TemporaryDirectory(prefix="quorate-") as folder:
        for image in wanted:
            images.build_archive(image, Path(folder, f"{image.name}.tar"))
        for machine in machines:
            with progress.step(f"Kubernetes {version} on {machine.name}"):
                _on(lab.plan, machine, programs=bins, archives=sorted(Path(folder).glob("*.tar")))
    return tuple(machine.name for machine in machines)


def _new(
    versions: Versions, bins: Mapping[str, Path], *, root: Path, old: LabPlan
) -> list[images.Image]:
    """The images that the lab's own versions do not have."""
    had = {image.reference for image in images.images(old.spec.versions, bins, root)}
    return [one for one in images.images(versions, bins, root) if one.reference not in had]


def _on(
    plan: LabPlan, machine: NodePlan, *, programs: Mapping[str, Path], archives: Sequence[Path]
) -> None:
    """Through the machine's own root, as this host sees it: no network is needed."""
    said = json.loads(shell.run([*node.runc(plan), "state", plan.container(machine.name)]))
    root = Path(f"/proc/{said['pid']}/root")
    for name in PROGRAMS:
        new = root / f"usr/local/bin/.{name}.new"
        shutil.copyfile(programs[name], new)
        new.chmod(0o755)
        os.replace(new, root / f"usr/local/bin/{name}")
    for archive in archives:
        if machine.control_plane or archive.stem in EVERYWHERE:
            inside = root / "var/tmp" / archive.name
            shutil.copyfile(archive, inside)
            argv = ["ctr", "-n", "k8s.io", "images", "import", f"/var/tmp/{archive.name}"]
            try:
                node.run(plan, machine.name, argv, timeout_s=IMPORT_TIMEOUT_S)
            finally:
                inside.unlink()
