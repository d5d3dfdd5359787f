"""`python3 noxfile.py SESSION` on a bare Debian: nothing but python3, git and a network.

The root file system is made by mmdebstrap and entered by chroot in a mount and a pid namespace of
its own, so that mounts and processes end with the command. The network is the host's: packages are
fetched for real. What this host needs to reach a registry (certificates, pip's settings, proxies)
is taken along, as an administrator would do on such a machine.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

SUITE = "bookworm"  # the oldest Debian whose python3 is new enough
TREE = "/srv/quorate"
OF_THE_NETWORK = re.compile(
    r"(https?_proxy|no_proxy|(PIP|UV)_\w+|SSL_CERT_FILE|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE)$", re.I
)
SETTINGS = ("/etc/pip.conf", "/etc/ssl/certs/ca-certificates.crt")
# Positional parameters: the new root, its working directory, then the command.
ENTER = 'root=$1 to=$2; shift 2; mount -t proc proc "$root/proc"; mount --rbind /dev "$root/dev"; '
ENTER += 'exec chroot "$root" sh -c \'cd "$0" && exec "$@"\' "$to" "$@"'

pytestmark = [pytest.mark.host, pytest.mark.timeout(900)]


@dataclass(frozen=True)
class BareDebian:
    """A root file system with python3 and git in it."""

    path: Path

    def run(self, *argv: str, timeout_s: float = 300) -> subprocess.CompletedProcess[str]:
        """Run a command in it; only what concerns the network comes along from the environment."""
        enter = ["unshare", "--mount", "--propagation=private", "--pid", "--fork", "--kill-child"]
        command = [*enter, "sh", "-euc", ENTER, "sh", str(self.path), TREE, *argv]
        kept = {name: value for name, value in os.environ.items() if OF_THE_NETWORK.match(name)}
        plain = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8"}
        environment = plain | kept | {"DEBIAN_FRONTEND": "noninteractive"}
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=timeout_s, check=False
        )

    def take_settings_along(self) -> None:
        """Copy the files of this host by which registries are reached."""
        named = [value for name, value in os.environ.items() if OF_THE_NETWORK.match(name)]
        for setting in {*SETTINGS, *(value for value in named if value.startswith("/"))}:
            if Path(setting).is_file():
                target = self.path / setting.lstrip("/")
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(setting, target)


@pytest.fixture(scope="module")
def debian(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BareDebian]:
    bare = BareDebian(tmp_path_factory.mktemp("debian") / "root")
    try:
        make = ["mmdebstrap", "--quiet", "--variant=minbase", "--mode=root"]
        make += ["--include=python3,git", SUITE, str(bare.path)]
        done = subprocess.run(make, capture_output=True, text=True, timeout=600, check=False)
        assert done.returncode == 0, done.stderr
        bare.take_settings_along()
        _clone(root, bare.path / TREE.lstrip("/"))
        yield bare
    finally:
        # Nothing is mounted in there: the mounts were in namespaces that are gone.
        assert str(bare.path) not in Path("/proc/mounts").read_text()
        shutil.rmtree(bare.path, ignore_errors=True)


def _clone(root: Path, target: Path) -> None:
    """What a clone of the present tree would hold, links as links, with nothing built in it."""
    git = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(git, cwd=root, capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        if os.path.lexists(root / name):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, target / name, follow_symlinks=False)
    subprocess.run(["git", "init", "--quiet", str(target)], check=True)


def test_from_bare_debian_to_a_session(debian: BareDebian) -> None:
    """Refused in one line, healed by the very command in it, set up, and fast from then on."""
    for tool in ("pip", "uv", "nox"):
        assert debian.run("sh", "-c", f"command -v {tool}").returncode != 0, f"{tool} is there"

    refused = debian.run("python3", "noxfile.py", "layers")
    assert refused.returncode == 2
    assert refused.stderr.count("\n") == 1, refused.stderr
    remedy = re.search(r"apt-get install (\S+)$", refused.stderr.strip())
    assert remedy, refused.stderr
    assert remedy[1] == "python3-venv"

    updated = debian.run("apt-get", "--quiet=2", "update")
    assert updated.returncode == 0, updated.stderr
    healed = debian.run("apt-get", "install", "--yes", "--no-install-recommends", remedy[1])
    assert healed.returncode == 0, healed.stderr

    debian.take_settings_along()  # Debian's ca-certificates, which venv brings, rewrote the bundle
    done = debian.run("python3", "noxfile.py", "layers")
    assert done.returncode == 0, done.stdout + done.stderr
    assert ".venv is ready" in done.stderr
    assert "Session layers was successful" in done.stderr

    again = debian.run("python3", "noxfile.py", "--list")
    assert again.returncode == 0, again.stderr
    assert again.stderr == "", "the second start set something up again"
