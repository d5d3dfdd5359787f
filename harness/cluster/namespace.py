"""Entering the network namespace that a cluster lives in; a lab has one, real machines have none.

setns(2) moves the calling thread and what it starts from then on: call it before any thread is
started, and the whole process, its sampler and its ssh live there.
"""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

from quorate.harness.errors import RefusedError
from quorate.harness.model.cluster import Cluster

_CLONE_NEWNET = 0x40000000  # linux/sched.h
_OWN = Path("/proc/thread-self/ns/net")


def is_network_namespace(path: Path) -> bool:
    """Whether a namespace is bound there: not a missing file, and not what a power cut left behind.

    `ip netns add` mounts the namespace on an empty file (ip-netns(8)); on a machine whose /run is
    on a disk that file outlives a reboot, with nothing mounted on it.
    """
    try:
        return path.stat().st_dev == _OWN.stat().st_dev
    except (FileNotFoundError, NotADirectoryError):
        return False


def enter_network_namespace(cluster: Cluster) -> bool:
    """Enter the namespace that the cluster names; True if that changed anything.

    Nothing happens for a cluster without one, or when this thread is in it already. Raises
    RefusedError when it is missing (the lab is stopped) or may not be entered (not root).
    """
    path = cluster.network_namespace
    if path is None:
        return False
    try:
        if not is_network_namespace(path):
            raise RefusedError(
                f"cluster {cluster.name}: its network namespace {path} does not exist, so the lab "
                f"is stopped: start it with `quorate lab start --name {cluster.name}`"
            )
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise _not_permitted(cluster, error=error) from error
    try:
        if os.path.samestat(os.fstat(descriptor), _OWN.stat()):
            return False
        set_network_namespace(descriptor)
    except OSError as error:
        raise _not_permitted(cluster, error=error) from error
    finally:
        os.close(descriptor)
    return True


def set_network_namespace(descriptor: int) -> None:
    """setns(2) on an open namespace file; OSError where the kernel refuses."""
    if hasattr(os, "setns"):  # Python 3.12
        os.setns(descriptor, _CLONE_NEWNET)
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, _CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _not_permitted(cluster: Cluster, *, error: OSError) -> RefusedError:
    return RefusedError(
        f"cluster {cluster.name}: its network namespace {cluster.network_namespace} cannot be "
        f"entered ({error.strerror}): run this as root"
    )
