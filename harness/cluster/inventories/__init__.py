"""Inventories that people have already, as hosts: Ansible's (Kubespray's among them) and RKE's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from quorate.harness.cluster.inventories import ansible, rke
from quorate.harness.cluster.inventories.host import Host
from quorate.harness.errors import SpecError

ALLOWED = "an Ansible inventory (INI or YAML, Kubespray's too) or RKE's cluster.yml"


def read_inventory(path: Path) -> tuple[Host, ...]:
    """Its hosts, in order. SpecError names the file, and the line or field that is wrong."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        found = getattr(error, "strerror", None) or str(error)
        raise SpecError(path, field="", found=found, allowed=ALLOWED) from None
    document = _mapping(text)
    if document is None:
        hosts = ansible.read_ini(text, file=path)
    elif isinstance(document.get("nodes"), list):
        hosts = rke.read(document, file=path)
    else:
        hosts = ansible.read_yaml(document, file=path)
    if not hosts:
        raise SpecError(path, field="", found="no host", allowed=ALLOWED)
    return hosts


def _mapping(text: str) -> dict[str, Any] | None:
    """A YAML document that is a mapping; an INI file is none."""
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError:
        return None
    return document if isinstance(document, dict) else None
