"""Container images made from the programs, and the store that every node starts with.

An image is one layer. They are imported once into an image store (the directory of a containerd
that runs just for that, in a mount namespace of its own); a node gets a copy of the store whose
files are hard links: contents and unpacked layers never change, only the databases are copied.
Six nodes so share what one would need.
"""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from quorate.harness.errors import LabError
from quorate.harness.lab import parts as resolver
from quorate.harness.lab import rootfs, shell
from quorate.harness.lab.plan import IMAGE_REPOSITORY
from quorate.harness.lab.spec import Versions

STORE_FORMAT = 4  # raise it when the way a store is made changes

PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

STORE_CONFIG = """\
version = 3
root = "{store}"
state = "{state}"
disabled_plugins = ["io.containerd.cri.v1.images", "io.containerd.cri.v1.runtime",
  "io.containerd.grpc.v1.cri", "io.containerd.nri.v1.nri"]
[grpc]
  address = "{state}/socket"
"""


IPTABLES = "usr/sbin/xtables-nft-multi"
IPTABLES_NAMES = {
    f"usr/sbin/{name}{verb}": "xtables-nft-multi"
    for name in ("iptables", "ip6tables")
    for verb in ("", "-save", "-restore")
}


@dataclass(frozen=True)
class Image:
    """An image to make: its tag, its files (path in the image -> path here), how it starts."""

    name: str
    tag: str
    files: Mapping[str, Path]
    links: Mapping[str, str]
    entrypoint: tuple[str, ...] = ()

    @property
    def reference(self) -> str:
        return f"{IMAGE_REPOSITORY}/{self.name}:{self.tag}"


def images(versions: Versions, bins: Mapping[str, Path], root: Path) -> tuple[Image, ...]:
    """Every image that kubeadm and the workloads of a lab ask for."""
    kubernetes = tuple(
        Image(name, versions.kubernetes, {f"usr/local/bin/{name}": bins[name]}, {})
        for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler")
    )
    proxy = {"usr/local/bin/kube-proxy": bins["kube-proxy"], **_iptables(root)}
    etcd = {f"usr/local/bin/{name}": bins[name] for name in ("etcd", "etcdctl", "etcdutl")}
    busybox = root / "bin/busybox"
    return (
        *kubernetes,
        Image("kube-proxy", versions.kubernetes, proxy, IPTABLES_NAMES),
        Image("etcd", f"{versions.etcd.removeprefix('v')}-0", etcd, {}),
        Image("coredns", versions.coredns, {"coredns": bins["coredns"]}, {}, ("/coredns",)),
        Image("pause", versions.pause, {"pause": root / "usr/bin/catatonit"}, {}, ("/pause", "-P")),
        Image("busybox", "1", {"bin/busybox": busybox}, _applets(busybox)),
        python_image(root),
    )


def python_image(root: Path) -> Image:
    """What probes are asked from in a pod: the nodes' own Python with its standard library."""
    program = (root / "usr/bin/python3").readlink().name
    library = f"usr/lib/{program}"
    files = {
        str(path.relative_to(root)): path
        for path in (root / library).rglob("*")
        if path.is_file() and path.suffix in (".py", ".so") and not path.is_symlink()
    }
    shared = sorted(path for path in files if path.endswith(".so"))
    files |= _with_libraries(root, f"usr/bin/{program}", *shared)
    return Image("python", "3", files, {"usr/bin/python3": program})


def _iptables(root: Path) -> dict[str, Path]:
    """iptables over nf_tables, and what it loads for each match and target."""
    extensions = [str(path.relative_to(root)) for path in root.glob("usr/lib/*/xtables/*.so")]
    return _with_libraries(root, IPTABLES, *sorted(extensions))


def _applets(busybox: Path) -> dict[str, str]:
    names = shell.run([str(busybox), "--list"]).split()
    return {f"bin/{name}": "busybox" for name in names if name != "busybox"}


def _with_libraries(root: Path, *programs: str) -> dict[str, Path]:
    """Dynamically linked files of the root file system with the libraries that they load."""
    listed = shell.run(["chroot", str(root), "ldd", *(f"/{program}" for program in programs)])
    files = {program: root / program for program in programs}
    found = {word for line in listed.splitlines() for word in line.split() if word[0] == "/"}
    for path in sorted(word for word in found if not word.endswith(":")):
        inside = shell.run(["chroot", str(root), "readlink", "-f", path]).strip()
        files[path.lstrip("/")] = root / inside.lstrip("/")
    return files


def build_archive(image: Image, target: Path) -> None:
    """Write the image as a docker archive (manifest.json, configuration, one layer)."""
    layer = target.with_suffix(".layer")
    with tarfile.open(layer, "w") as tar:
        for path, source in sorted(image.files.items()):
            info = tar.gettarinfo(str(source.resolve()), arcname=path)
            info.type, info.linkname, info.mtime = tarfile.REGTYPE, "", 0
            info.size = source.stat().st_size  # a hard link in the cache is a plain file here
            with source.open("rb") as content:
                tar.addfile(info, content)
        for path, link in sorted(image.links.items()):
            info = tarfile.TarInfo(path)
            info.type, info.linkname = tarfile.SYMTYPE, link
            tar.addfile(info)
    config = {
        "architecture": resolver.machine_arch(),
        "os": "linux",
        "config": {"Env": [PATH], "Entrypoint": list(image.entrypoint)},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{_sha256(layer)}"]},
    }
    manifest = [{"Config": "config.json", "RepoTags": [image.reference], "Layers": ["layer.tar"]}]
    with tarfile.open(target, "w") as tar:
        for name, value in (("config.json", config), ("manifest.json", manifest)):
            data = json.dumps(value).encode()
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
        tar.add(layer, arcname="layer.tar")
    layer.unlink()


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def store_directory(cache: Path, wanted: tuple[Image, ...]) -> Path:
    recipe = [[image.reference, sorted(map(str, image.files.values()))] for image in wanted]
    return cache / "images" / rootfs.digest([STORE_FORMAT, recipe])


def build_store(
    cache: Path, wanted: tuple[Image, ...], bins: Mapping[str, Path], progress: shell.Progress
) -> Path:
    """The image store with every image imported and unpacked, made if it is not cached.

    Raises:
        LabError: containerd did not come up or refused an image.
    """

    def make(staging: Path) -> None:
        with progress.step(f"{len(wanted)} container images"):
            _import_all(wanted, bins, staging)
        shutil.rmtree(staging / "state")

    return resolver.made_once(store_directory(cache, wanted), make, progress) / "store"


def _import_all(wanted: tuple[Image, ...], bins: Mapping[str, Path], staging: Path) -> None:
    state = staging / "state"
    config = staging / "config.toml"
    config.write_text(STORE_CONFIG.format(store=staging / "store", state=state))
    with (staging / "log").open("wb") as log:
        daemon = subprocess.Popen(
            ["unshare", "--mount", "--propagation", "private", str(bins["containerd"]),
             "--config", str(config)],
            stdout=log, stderr=log,
        )  # fmt: skip
    try:
        ctr = [str(bins["ctr"]), "--address", f"{state}/socket", "--namespace", "k8s.io"]
        _await_daemon(daemon, ctr, staging / "log")
        for image in wanted:
            archive = staging / f"{image.name}.tar"
            build_archive(image, archive)
            shell.run([*ctr, "images", "import", "--snapshotter", "overlayfs", str(archive)])
            archive.unlink()
    finally:
        daemon.terminate()
        daemon.wait(timeout=30)


def _await_daemon(daemon: subprocess.Popen[bytes], ctr: list[str], log: Path) -> None:
    deadline = time.monotonic() + 30
    while not shell.succeeds([*ctr, "version"]):
        if daemon.poll() is not None or time.monotonic() > deadline:
            tail = "\n".join(log.read_text().splitlines()[-10:])
            raise LabError(f"containerd did not start to import the images:\n{tail}")
        time.sleep(0.1)


def clone_store(store: Path, target: Path) -> None:
    """Give a node its own view of the image store: databases copied, all other files linked."""
    for here, directories, files in os.walk(store):
        there = target / Path(here).relative_to(store)
        there.mkdir(parents=True, exist_ok=True)
        shutil.copystat(here, there)
        links = [name for name in directories if (Path(here) / name).is_symlink()]
        for name in [*files, *links]:
            source = Path(here) / name
            if source.is_symlink():
                os.symlink(os.readlink(source), there / name)
            elif source.suffix == ".db":
                shutil.copy2(source, there / name)
            else:
                _link(source, there / name)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        shutil.copy2(source, target)  # cache and lab on two file systems: nothing can be shared
