"""Manifests of static pods, as kubeadm writes them → facts from the flags of their first container.

A flag that is not set has its program's default; one that cannot be read is a DriverError.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from quorate.harness.errors import DriverError
from quorate.harness.predict.facts import (
    ApiserverFacts,
    ElectionFacts,
    EtcdFacts,
    LifecycleFacts,
)

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)")
_UNITS_S = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}

_VERSION = re.compile(r":v(\d+)\.(\d+)\.")
GRACE_S = 50.0
"""node-monitor-grace-period from Kubernetes 1.32 on; 40 s before (k/k#121793)."""
GRACE_BEFORE_S = 40.0
GRACE_SINCE = (1, 32)


class Container:
    """What a static pod's first container is started with. DriverError for any other text.

    `bare`: it may also be a configuration file of flags.
    """

    def __init__(self, text: str, *, name: str, bare: bool = False) -> None:
        self._name = name
        try:
            said = yaml.safe_load(text)
            self._flags: Mapping[str, str]
            if bare and "spec" not in said:
                self._flags, self._image = {key: str(said[key]) for key in said}, ""
                return
            (first, *_) = said["spec"]["containers"]
            words = [*(first.get("command") or ()), *(first.get("args") or ())]
            self._flags = _flags(map(str, words))
            self._image = str(first.get("image", ""))
        except (yaml.YAMLError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise DriverError(f"{name}: no manifest of a pod: {error}") from error

    def text(self, flag: str, default: str = "") -> str:
        return self._flags.get(flag, default)

    def seconds(self, flag: str, default: float) -> float:
        """A flag with a duration, as Go writes them."""
        if flag not in self._flags:
            return default
        return duration_s(self._flags[flag], what=self._of(flag))

    def milliseconds(self, flag: str, default: float) -> float:
        """A flag with a number of milliseconds, in seconds."""
        if flag not in self._flags:
            return default
        try:
            return float(self._flags[flag]) / 1000
        except ValueError:
            raise DriverError(f"{self._of(flag)} {self._flags[flag]!r} is no number") from None

    @property
    def version(self) -> tuple[int, int] | None:
        """Major and minor, from the image's tag; None where it tells none."""
        found = _VERSION.search(f"{self._image}.")
        return (int(found[1]), int(found[2])) if found else None

    def _of(self, flag: str) -> str:
        return f"{self._name}: --{flag}"


def duration_s(text: str, *, what: str) -> float:
    """`1m30s`, `500ms`, `0` → seconds; DriverError for what is no duration."""
    if text in ("0", ""):
        return 0.0
    found = _DURATION.findall(text)
    if "".join(number + unit for number, unit in found) != text:
        raise DriverError(f"{what} {text!r} is no duration")
    return sum(float(number) * _UNITS_S[unit] for number, unit in found)


def parse_apiserver(text: str, *, name: str = "kube-apiserver.yaml") -> ApiserverFacts:
    """Facts of one kube-apiserver. Its two checks of etcd stand in /readyz side by side."""
    flags, default = Container(text, name=name), ApiserverFacts()
    servers = flags.text("etcd-servers")
    return ApiserverFacts(
        etcd_servers=tuple(one for one in servers.split(",") if one),
        shutdown_delay_s=flags.seconds("shutdown-delay-duration", default.shutdown_delay_s),
        etcd_check_s=min(
            flags.seconds("etcd-healthcheck-timeout", default.etcd_check_s),
            flags.seconds("etcd-readycheck-timeout", default.etcd_check_s),
        ),
    )


def parse_etcd(text: str, *, name: str = "etcd.yaml") -> EtcdFacts:
    """Timers of one member, from a manifest or from etcd's own configuration file, whose keys are
    called as the flags are (etcd embed/config.go)."""
    flags, default = Container(text, name=name, bare=True), EtcdFacts()
    return EtcdFacts(
        heartbeat_s=flags.milliseconds("heartbeat-interval", default.heartbeat_s),
        election_s=flags.milliseconds("election-timeout", default.election_s),
    )


def parse_election(text: str, *, name: str) -> ElectionFacts:
    """How one kube-scheduler or kube-controller-manager elects."""
    flags, default = Container(text, name=name), ElectionFacts()
    return ElectionFacts(
        elects=flags.text("leader-elect", "true") == "true",
        retry_s=flags.seconds("leader-elect-retry-period", default.retry_s),
    )


def parse_lifecycle(text: str, *, name: str = "kube-controller-manager.yaml") -> LifecycleFacts:
    """When one kube-controller-manager gives nodes up."""
    flags = Container(text, name=name)
    version = flags.version
    default = None
    if version is not None:
        default = GRACE_S if version >= GRACE_SINCE else GRACE_BEFORE_S
    given = flags.text("node-monitor-grace-period")
    return LifecycleFacts(
        grace_s=flags.seconds("node-monitor-grace-period", 0.0) if given else default,
        monitor_s=flags.seconds("node-monitor-period", LifecycleFacts.monitor_s),
    )


def _flags(words: Iterable[str]) -> Mapping[str, str]:
    """`--name=value`, `--name value` and `--name` (true)."""
    flags: dict[str, Any] = {}
    last = ""
    for word in words:
        if word.startswith("--"):
            last, _, value = word[2:].partition("=")
            flags[last] = value if "=" in word else "true"
        elif last and flags[last] == "true":
            flags[last] = word
    return flags
