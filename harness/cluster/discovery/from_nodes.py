"""What one machine says of itself, out of its files and addresses. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from quorate.harness.drivers import etcd, haproxy, keepalived, nginx
from quorate.harness.drivers.haproxy_cfg import sections
from quorate.harness.drivers.manifests import path_of
from quorate.harness.drivers.node_program import parse_addresses
from quorate.harness.errors import DriverError
from quorate.harness.model.cluster import HAProxy
from quorate.harness.predict.facts import KeepalivedFacts
from quorate.harness.predict.keepalived_conf import parse_keepalived
from quorate.harness.predict.static_pods import Container

ETCD_ENVIRONMENT = "/etc/etcd.env"
"""Kubespray's; kubeadm's etcd has a manifest instead."""

ETCD = (path_of("etcd"), etcd.CONFIGURATION, ETCD_ENVIRONMENT)
"""One of these is where a member runs."""

FILES = (
    keepalived.CONFIGURATION,
    haproxy.CONFIGURATION,
    nginx.CONFIGURATION,
    *ETCD,
    path_of("kube-apiserver"),
)


@dataclass(frozen=True)
class Machine:
    """What was found on a machine. ``etcd_servers``: addresses that its API server asks."""

    name: str
    keepalived: KeepalivedFacts | None = None
    haproxy: HAProxy | None = None
    balancer: str = ""
    """"haproxy", "nginx" or ""."""
    etcd: bool = False
    etcd_servers: tuple[str, ...] = ()
    etcd_certificate: str = ""
    addresses: frozenset[str] = frozenset()


def machine_of(name: str, *, files: Mapping[str, str], addresses: str) -> Machine:
    """``addresses``: what `ip -j addr` prints. DriverError names the file that cannot be read."""
    has = files.get
    text = has(haproxy.CONFIGURATION, "")
    balancer = (
        "haproxy" if _binds(text) else "nginx" if _streams(has(nginx.CONFIGURATION, "")) else ""
    )
    server = has(path_of("kube-apiserver"))
    container = Container(server, name="kube-apiserver.yaml") if server else None
    vrrp = has(keepalived.CONFIGURATION)
    try:
        held = frozenset(parse_addresses(addresses)) if addresses else frozenset()
    except (ValueError, TypeError) as error:
        raise DriverError(f"`ip -j addr` is not JSON: {error}") from error
    return Machine(
        name=name,
        keepalived=parse_keepalived(vrrp) if vrrp else None,
        haproxy=haproxy_of(text) if balancer == "haproxy" else None,
        balancer=balancer,
        etcd=any(path in files for path in ETCD),
        etcd_servers=_hosts(container.text("etcd-servers")) if container else (),
        etcd_certificate=container.text("etcd-certfile") if container else "",
        addresses=held,
    )


def haproxy_of(text: str) -> HAProxy:
    """Where HAProxy tells about itself, by its configuration; what it does not say is default."""
    said: dict[str, object] = {}
    for lines in _sections(text):
        for words in lines:
            if lines[0] == ["global"] and words[:2] == ["stats", "socket"] and _is_admin(words):
                said.setdefault("stats_socket", Path(words[2]))
        uri = next((words[1] for words in lines if words[0] == "monitor-uri"), None)
        port = next((words[1].rpartition(":")[2] for words in lines if words[0] == "bind"), "")
        if uri is not None and port.isdigit():
            said.setdefault("monitor_uri", uri)
            said.setdefault("monitor_port", int(port))
    return HAProxy.model_validate(said)


def _is_admin(words: list[str]) -> bool:
    return words[2].startswith("/") and "admin" in words


def _sections(text: str) -> Iterator[list[list[str]]]:
    """The words of each line of a section, comments left out."""
    for section in sections(text):
        lines = (line.partition("#")[0].split() for line in section)
        yield [words for words in lines if words]


def _binds(text: str) -> bool:
    """Debian's package has a haproxy.cfg that listens nowhere."""
    return any(words[0] == "bind" for lines in _sections(text) for words in lines)


def _streams(text: str) -> bool:
    return bool(re.search(r"^\s*stream\s*\{", text, re.MULTILINE))


def _hosts(text: str) -> tuple[str, ...]:
    """Hosts of a list of URLs, loopback left out: that is the machine's own."""
    found = [urlsplit(one).hostname or "" for one in text.split(",") if one]
    return tuple(one for one in found if one not in ("127.0.0.1", "::1", "localhost", ""))
