"""Manifests of static pods: kubelet runs what lies in its folder, and re-reads it every 20 s
(its fileCheckFrequency, by default).

One is hidden or changed by laying another file over it (drivers/files.py), which a reboot undoes;
one that was moved away would stay away. kubelet takes an empty file for a pod that is no more.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

FOLDER = "/etc/kubernetes/manifests"
"""kubeadm's `staticPodPath`."""

HIDDEN = ""
"""What a manifest holds that kubelet takes for none."""


def path_of(name: str) -> str:
    """Where kubeadm writes the manifest of a control plane's component."""
    return f"{FOLDER}/{name}.yaml"


def with_flags_after(text: str, flag: str, more: Mapping[str, str]) -> str:
    """The manifest with these flags in lines behind the one that gives `flag`; as it was where it
    has none, or has one of these already."""
    if any(re.search(rf"^\s*-\s+[\"']?{re.escape(one)}=", text, re.MULTILINE) for one in more):
        return text
    pattern = rf"^(\s*-\s+)[\"']?{re.escape(flag)}(=\S*)?\s*$"
    added = "".join(rf"\n\g<1>{one}={value}" for one, value in more.items())
    return re.sub(pattern, rf"\g<0>{added}", text, count=1, flags=re.MULTILINE)


def with_flag(text: str, flag: str, value: str) -> str:
    """The manifest with `flag=value` where it gives another value; as it was where it has none."""
    pattern = rf"^(\s*-\s+[\"']?){re.escape(flag)}(=[^\s\"']*)?(?=[\"']?\s*$)"
    return re.sub(pattern, rf"\g<1>{flag}={value}", text, flags=re.MULTILINE)
