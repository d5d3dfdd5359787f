"""The programs of a lab, resolved in order: cache → official release with checksum → Go modules.

A resolved part is a directory ``<cache>/parts/<product>-<version>/bin`` that appears in one
rename, so that it is whole or absent. A lock per part makes two resolvers at once safe: the
second waits and finds the first one's work. Downloads resume (HTTP ranges on a ``.partial`` file),
builds resume through Go's own cache.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import platform
import shutil
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from quorate.harness.errors import LabError
from quorate.harness.lab import release, shell
from quorate.harness.lab.spec import Versions

GOMOD = Path(__file__).with_name("gomod")
GO_MINIMUM = (1, 26)
BUILD = {
    "CGO_ENABLED": "0",
    "GOWORK": "off",
    # The linker drops what debuggers need (-w): not to make it first saves a tenth of the build.
    "GOFLAGS": "-buildvcs=false -gcflags=all=-dwarf=false",
    # The compiler collects no garbage until it has 1 GiB: a sixth (both measured with etcdctl).
    "GOGC": "off",
    "GOMEMLIMIT": "1GiB",
}

KUBERNETES = (
    "kube-apiserver", "kube-controller-manager", "kube-proxy", "kube-scheduler", "kubeadm",
    "kubectl", "kubelet",
)  # fmt: skip


@dataclass(frozen=True)
class Part:
    """One product: the programs it has to yield and where its official release lies.

    Attributes:
        archive: URL of a release archive; None where each program is a file of its own (``files``).
        checksum: URL of the file that lists the archive's SHA-256; ``{url}`` is the file's own URL.
        renamed: programs that ``go build`` names after their folder, as built name -> our name.
    """

    product: str
    version: str
    programs: tuple[str, ...]
    checksum: str
    archive: str | None = None
    files: str | None = None
    renamed: tuple[tuple[str, str], ...] = ()

    @property
    def directory(self) -> str:
        return f"{self.product}-{self.version}"


def parts(versions: Versions, arch: str) -> tuple[Part, ...]:
    """Every part of a lab for a processor as Go names it (``amd64``, ``arm64``)."""
    github = "https://github.com"
    etcd, containerd = versions.etcd, versions.containerd.removeprefix("v")
    coredns, cni = versions.coredns.removeprefix("v"), versions.cni
    return (
        Part("cni", cni, ("bridge", "loopback", "host-local", "portmap"), "{url}.sha256",
             f"{github}/containernetworking/plugins/releases/download/{cni}/cni-plugins-linux-{arch}-{cni}.tgz"),
        Part("etcd", etcd, ("etcd", "etcdctl", "etcdutl"),
             f"{github}/etcd-io/etcd/releases/download/{etcd}/SHA256SUMS",
             f"{github}/etcd-io/etcd/releases/download/{etcd}/etcd-{etcd}-linux-{arch}.tar.gz",
             renamed=(("server", "etcd"),)),
        Part("containerd", versions.containerd, ("containerd", "containerd-shim-runc-v2", "ctr"),
             "{url}.sha256sum",
             f"{github}/containerd/containerd/releases/download/v{containerd}/containerd-{containerd}-linux-{arch}.tar.gz"),
        Part("coredns", versions.coredns, ("coredns",), "{url}.sha256",
             f"{github}/coredns/coredns/releases/download/v{coredns}/coredns_{coredns}_linux_{arch}.tgz"),
        Part("kubernetes", versions.kubernetes, KUBERNETES, "{url}.sha256",
             files=f"https://dl.k8s.io/release/{versions.kubernetes}/bin/linux/{arch}/{{program}}"),
    )  # fmt: skip


def machine_arch() -> str:
    """This machine's processor as Go names it."""
    machine = platform.machine()
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)


def cache_directory() -> Path:
    """``$QUORATE_CACHE``, else ``$XDG_CACHE_HOME/quorate``, else ``~/.cache/quorate``."""
    if given := os.environ.get("QUORATE_CACHE"):
        return Path(given).absolute()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "quorate"


@contextlib.contextmanager
def locked(path: Path, progress: shell.Progress) -> Iterator[None]:
    """Hold ``path`` (made if absent) exclusively; say so when somebody else has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress.say(f"another process works on {path.stem}; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def made_once(target: Path, make: Callable[[Path], None], progress: shell.Progress) -> Path:
    """The directory ``target``, made by ``make`` in a staging directory if it is not there.

    It appears in one rename, so that it is whole or absent, and a lock lets one process make it
    while the others wait. Whatever ``make`` raises leaves it absent.
    """
    if target.is_dir():
        return target
    with locked(target.with_name(f"{target.name}.lock"), progress):
        if not target.is_dir():
            staging = target.with_name(f"{target.name}.staging")
            shutil.rmtree(staging, ignore_errors=True)
            staging.mkdir()
            make(staging)
            staging.rename(target)
    return target


def cached(part: Part, cache: Path) -> Path | None:
    """The directory of the part's programs if it is in the cache."""
    directory = cache / "parts" / part.directory / "bin"
    return directory if directory.is_dir() else None


def resolve(part: Part, cache: Path, progress: shell.Progress) -> Path:
    """The directory that holds the part's programs, made if it is not in the cache.

    Raises:
        LabError: neither the official release nor the Go modules could be had; the message says
            what each of the ways answered.
    """

    def make(staging: Path) -> None:
        (staging / "bin").mkdir()
        _release_or_build(part, cache, staging / "bin", progress)
        missing = [name for name in part.programs if not (staging / "bin" / name).is_file()]
        if missing:
            raise LabError(f"{part.directory} came without {', '.join(missing)}")

    return made_once(cache / "parts" / part.directory, make, progress) / "bin"


def _release_or_build(part: Part, cache: Path, bin_dir: Path, progress: shell.Progress) -> None:
    try:
        with progress.step(f"{part.directory}: official release"):
            _download(part, cache / "downloads", bin_dir, progress)
    except release.Unavailable as error:
        progress.say(f"{part.directory}: no official release to be had here ({error})")
    else:
        return
    if not (problem := go_problem()):
        with progress.step(f"{part.directory}: build from its Go modules"):
            _build(part, bin_dir)
        return
    raise LabError(f"{part.directory}: not cached, not downloadable, and not built: {problem}")


def _download(part: Part, downloads: Path, bin_dir: Path, progress: shell.Progress) -> None:
    if part.files is not None:
        for program in part.programs:
            url = part.files.format(program=program)
            got = release.fetch(url, part.checksum.format(url=url), downloads, progress.say)
            shutil.copyfile(got, bin_dir / program)
            (bin_dir / program).chmod(0o755)
        return
    assert part.archive is not None
    url = part.archive
    got = release.fetch(url, part.checksum.format(url=url), downloads, progress.say)
    with tarfile.open(got) as archive:
        for member in archive.getmembers():
            name = Path(member.name).name
            content = archive.extractfile(member) if name in part.programs else None
            if content is not None:
                (bin_dir / name).write_bytes(content.read())
                (bin_dir / name).chmod(0o755)


def reachable(part: Part) -> bool:
    """Whether the part's official release answers from here (asks for its checksum)."""
    url = part.archive or (part.files or "").format(program=part.programs[0])
    return release.reachable(part.checksum.format(url=url))


def go_problem() -> str | None:
    """Why Go cannot build the parts here; None if it can."""
    if shutil.which("go") is None:
        return "no Go toolchain (install Go 1.26 or newer, or allow the official downloads)"
    words = shell.run(["go", "env", "GOVERSION"]).strip().removeprefix("go").split(".")
    if tuple(int(word) for word in words[:2]) < GO_MINIMUM:
        return f"Go {'.'.join(words)} is older than 1.26"
    return None


def version_flags(version: str) -> str:
    """Linker flags that stamp a Kubernetes version, as its own build does (hack/lib/version.sh)."""
    major, minor, _ = version.removeprefix("v").split(".")
    stamps = {
        "gitVersion": version,
        "gitMajor": major,
        "gitMinor": minor,
        "gitTreeState": "clean",
        "gitCommit": hashlib.sha1(version.encode(), usedforsecurity=False).hexdigest(),
        "buildDate": "1970-01-01T00:00:00Z",
    }
    packages = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    return " ".join(
        f"-X {package}.{key}={value}" for package in packages for key, value in stamps.items()
    )


def _build(part: Part, bin_dir: Path) -> None:
    flags = "-s -w"
    if part.product == "kubernetes":
        flags += " " + version_flags(part.version)
    shell.run(
        [
            "go",
            "build",
            "-mod=readonly",
            "-trimpath",
            f"-ldflags={flags}",
            "-o",
            f"{bin_dir}/",
            "tool",
        ],
        cwd=GOMOD / part.directory,
        env=BUILD,
        timeout_s=3600.0,
    )
    for built, name in part.renamed:
        (bin_dir / built).rename(bin_dir / name)
