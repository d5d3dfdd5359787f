"""A cluster.yaml with the least rights: an account of the API's, an ssh user behind sudo.

    python -m tests.lab.least_rights FOLDER [LAB]

grants a lab's ServiceAccount `quorate` what `quorate rights` prints and no more, makes an ordinary
user on every node with its lines for sudoers, and writes FOLDER/cluster.yaml for both. The lab
keeps them until it is down.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from quorate.harness.model.rights import PARTS
from tests.lab.conftest import Lab

USER = "quorate"
MAKE_USER = f"""\
set -eu
id {USER} > /dev/null 2>&1 || useradd --create-home --password '*' {USER}
install -d -m 0700 -o {USER} -g {USER} /home/{USER}/.ssh
install -m 0600 -o {USER} -g {USER} ~root/.ssh/authorized_keys /home/{USER}/.ssh/authorized_keys
printf '%s' "$1" > /etc/sudoers.d/{USER}
chmod 0440 /etc/sudoers.d/{USER}
visudo -cq
"""
ASK_PASSWORD = f"""\
set -eu
echo "{USER}:$1" | chpasswd
echo "{USER} ALL=(root) ALL" > /etc/sudoers.d/{USER}
"""
REMOVE_USER = f"""\
rm -f /etc/sudoers.d/{USER}
id {USER} > /dev/null 2>&1 || exit 0
pkill -KILL -u {USER}  # a login that ssh keeps open
userdel --remove --force {USER}
"""


@dataclass
class LeastRights:
    """`cluster`: the file that names the account and the user. Granted until `revoke`."""

    lab: Lab
    folder: Path
    manifest: str = ""

    @property
    def cluster(self) -> Path:
        return self.folder / "cluster.yaml"

    @property
    def _path(self) -> Path:
        return self.folder / "rights.yaml"

    def grant(self) -> None:
        """All that `quorate rights` prints, of every part."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.manifest = self.lab.run("rights", *(f"--{part}" for part in PARTS)).stdout
        self.apply(self.manifest)
        sudoers = self.lab.run("rights", "--sudoers", USER).stdout
        self._on_all(MAKE_USER, sudoers)
        self._describe()

    def _on_all(self, script: str, *words: str) -> None:
        """On every node, as root."""
        for node in self.lab.powered():
            done = self.lab.on(node, "sh", "-c", script, "sh", *words)
            assert done.returncode == 0, f"{node}: {done.stdout}{done.stderr}"

    def _describe(self) -> None:
        described = yaml.safe_load(self.lab.cluster.read_text())
        described["ssh"] |= {"user": USER, "sudo": True}
        own = self.lab.cluster.parent / described["kubeconfig"]
        described["kubeconfig"] = "kubeconfig"
        kubeconfig = yaml.safe_load(own.read_text())
        words = ("create", "token", "quorate", "-n", "kube-system", "--duration", "4h")
        token = self.lab.kubectl(*words).strip()
        kubeconfig["users"][0]["user"] = {"token": token}
        for path, thing in ((self.cluster, described), (self.folder / "kubeconfig", kubeconfig)):
            path.touch(mode=0o600)
            path.write_text(yaml.safe_dump(thing))

    @contextlib.contextmanager
    def away(self, part: str) -> Iterator[None]:
        """Without one part's manifest, but for the account that all share."""
        every = list(yaml.safe_load_all(self.manifest))
        its = yaml.safe_dump_all(
            one for one in every if one["metadata"]["name"] == f"quorate-{part}"
        )
        self._delete(its)
        try:
            yield
        finally:
            self.apply(its)

    def apply(self, manifest: str) -> None:
        self._path.write_text(manifest)
        self.lab.kubectl("apply", "-f", str(self._path))

    def _delete(self, manifest: str, *options: str) -> None:
        self._path.write_text(manifest)
        self.lab.kubectl("delete", *options, "-f", str(self._path))

    def roles(self) -> Iterator[dict[str, Any]]:
        """Every Role and ClusterRole of the manifest."""
        for one in yaml.safe_load_all(self.manifest):
            if one["kind"] in ("Role", "ClusterRole"):
                yield one

    def ask_password(self, password: str) -> None:
        """From now on sudo asks the user for this password, on every node."""
        self._on_all(ASK_PASSWORD, password)

    def revoke(self) -> None:
        """No account, no rules, no user."""
        if self.manifest:
            self._delete(self.manifest, "--ignore-not-found")
        self._on_all(REMOVE_USER)


def without(role: Mapping[str, Any], rule: int) -> str:
    """The manifest of a role that lacks one of its rules."""
    rules = [one for at, one in enumerate(role["rules"]) if at != rule]
    return yaml.safe_dump({**role, "rules": rules})


if __name__ == "__main__":
    name = sys.argv[2] if len(sys.argv) > 2 else "quorate"
    made = LeastRights(Lab.called(name, runs=Path("runs")), Path(sys.argv[1]))
    made.grant()
    print(made.cluster)
