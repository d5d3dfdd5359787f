"""SSH keys of a lab: one for the harness, a host key per node, and the known_hosts file."""

from __future__ import annotations

from pathlib import Path

from quorate.harness.lab import shell
from quorate.harness.lab.files import Keys
from quorate.harness.lab.plan import LabPlan


def directory(plan: LabPlan) -> Path:
    return plan.home / "keys"


def harness_key(plan: LabPlan) -> Path:
    return directory(plan) / "harness"


def known_hosts(plan: LabPlan) -> Path:
    return directory(plan) / "known_hosts"


def _generate(path: Path, comment: str) -> None:
    if not path.exists():
        shell.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(path)])


def make(plan: LabPlan) -> dict[str, Keys]:
    """Make every key that is missing; return what each node needs."""
    home = directory(plan)
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    _generate(harness_key(plan), f"quorate-{plan.spec.name}")
    authorized = harness_key(plan).with_suffix(".pub").read_text()
    keys, lines = {}, []
    for node in plan.nodes:
        path = home / node.name
        _generate(path, node.name)
        public = path.with_suffix(".pub").read_text()
        keys[node.name] = Keys(path.read_text(), public, authorized)
        lines.append(f"{node.address},{node.name} {' '.join(public.split()[:2])}")
    known_hosts(plan).write_text("\n".join(lines) + "\n")
    return keys
