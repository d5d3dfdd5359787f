"""Manifests of static pods: kubelet runs what lies in its folder, and re-reads it every 20 s.

A manifest is hidden by mounting an empty file over it, which a reboot undoes; one that was moved
away would stay away. kubelet takes an empty file for a pod that is no more.
"""

from __future__ import annotations

from quorate.harness.transport import Transport

FOLDER = "/etc/kubernetes/manifests"
"""kubeadm's `staticPodPath`."""

READ_EVERY_S = 20.0
"""kubelet's fileCheckFrequency, by default."""

_HIDE = """\
mkdir -p "$2" && : > "$2/manifest" && mount --bind "$2/manifest" "$1"
"""

# Ours and no other mount: the kernel names what is mounted, and that is our file.
_SHOW = """\
mine() { grep -q -F -e "/$(basename "$2")/manifest $1 " /proc/self/mountinfo; }
if mine "$1" "$2"; then echo "$1 was hidden" | systemd-cat -t "$3"; fi
while mine "$1" "$2"; do umount "$1" || exit; done
rm -f "$2/manifest"
rmdir "$2" 2>/dev/null || true
"""

_HIDDEN = """\
if grep -q -F -e "/manifest $1 " /proc/self/mountinfo; then echo hidden; else echo shown; fi
"""

SHOWN = "^shown$"
"""What `hidden_argv` prints when nothing of ours lies over the manifest."""


def hide_argv(path: str, *, folder: str) -> tuple[str, ...]:
    """Mount an empty file, kept in `folder` (below /run), over the manifest."""
    return ("sh", "-c", _HIDE, "quorate", path, folder)


def show_argv(path: str, *, folder: str, tag: str) -> tuple[str, ...]:
    """The way back, logged under `tag` where it was needed; harmless where it was not."""
    return ("sh", "-c", _SHOW, "quorate", path, folder, tag)


def hidden_argv(path: str) -> tuple[str, ...]:
    """Prints `hidden` or `shown`."""
    return ("sh", "-c", _HIDDEN, "quorate", path)


def path_of(name: str) -> str:
    """Where kubeadm writes the manifest of a control plane's component."""
    return f"{FOLDER}/{name}.yaml"


class ManifestDriver:
    """What lies in kubelet's folder. Changes nothing."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def is_there(self, node: str, path: str) -> bool:
        """Whether the manifest exists and holds something; TransportError when not known."""
        return self._transport.run(node, ["test", "-s", path], timeout_s=8.0).returncode == 0

    def is_hidden(self, node: str, path: str) -> bool:
        """Whether a file of ours lies over it; TransportError when that is not known."""
        asked = self._transport.check(node, hidden_argv(path), timeout_s=8.0)
        return asked.stdout.strip() == "hidden"
