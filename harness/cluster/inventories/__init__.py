"""Inventories that people have already, as hosts: Ansible's (Kubespray's among them), RKE's, and
Terraform's outputs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from quorate.harness.cluster.inventories import ansible, rke, terraform
from quorate.harness.cluster.inventories.host import Host
from quorate.harness.cluster.inventories.kubespray import through_bastion
from quorate.harness.errors import SpecError

ALLOWED = (
    "an Ansible inventory (INI or YAML, Kubespray's too), RKE's cluster.yml, or what "
    "`terraform output -json` prints"
)
RESOLVED = (
    "a file of hosts; Ansible itself makes one of a directory, a script or a plugin: "
    "ansible-inventory -i THIS --list --yaml > hosts.yaml"
)
YAML_NAMES = (".yaml", ".yml", ".json")


class _Loader(yaml.SafeLoader):
    """Safe; values with a tag (``!vault``) are passed over, since no secret is asked for."""


_Loader.add_multi_constructor("!", lambda _loader, _suffix, _node: None)


def read_inventory(path: Path) -> tuple[Host, ...]:
    """Its hosts, in order. SpecError names the file, and the line or field that is wrong."""
    if path.is_dir():
        raise SpecError(path, field="", found="a directory", allowed=RESOLVED)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        found = getattr(error, "strerror", None) or str(error)
        raise SpecError(path, field="", found=found, allowed=ALLOWED) from None
    if text.startswith("#!"):
        raise SpecError(path, field="", found="a script", allowed=RESOLVED)
    hosts = _hosts(text, file=path)
    if not hosts:
        raise SpecError(path, field="", found="no host", allowed=ALLOWED)
    return hosts


def _hosts(text: str, *, file: Path) -> tuple[Host, ...]:
    document = _mapping(text, file=file)
    if document is None:
        return through_bastion(ansible.read_ini(text, file=file))
    if isinstance(document.get("plugin"), str):
        raise SpecError(file, field="plugin", found="a plugin's settings", allowed=RESOLVED)
    if isinstance(document.get("nodes"), list):
        return rke.read(document, file=file)
    if terraform.is_output(document):
        return terraform.read(document, file=file)
    return through_bastion(ansible.read_yaml(document, file=file))


def _mapping(text: str, *, file: Path) -> dict[str, Any] | None:
    """A document that is a mapping; None for INI, which is told by being none."""
    named = file.suffix in YAML_NAMES
    try:
        document = _document(text)
    except yaml.YAMLError as error:
        if not named:
            return None
        mark = getattr(error, "problem_mark", None)
        line = None if mark is None else mark.line + 1
        found = str(getattr(error, "problem", None) or "something unreadable")
        raise SpecError(file, line=line, field="", found=found, allowed="YAML") from None
    if named and not isinstance(document, dict | None):
        raise SpecError(file, field="", found=type(document).__name__, allowed=ALLOWED)
    if document is None and named:
        return {}
    return document if isinstance(document, dict) else None


def _document(text: str) -> Any:
    try:
        return json.loads(text)  # may be indented by tabs, which YAML forbids
    except ValueError:
        return yaml.load(text, Loader=_Loader)
