"""Configuration files as settings, what → value, so that two of them can be compared; pure.

Nothing is interpreted: what stands in the file stands in the settings, without comments, in words
that a person knows. What may be a secret is named, and its value left out. Files that are included
by others are not followed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from quorate.harness.drivers.haproxy_cfg import SECTION
from quorate.harness.errors import DriverError
from quorate.harness.predict.nginx_conf import Directive, parse_directives

KEPT_OUT = "(kept out)"
_SECRET = re.compile(r"(?i)auth|passw|secret|token|credential")
_HAPROXY_CODE = re.compile(r'(?:[^"#]|"[^"]*"?)*')
_KEEPALIVED_CODE = re.compile(r'(?:[^"#!]|"[^"]*"?)*')
_KEEPALIVED_WORD = re.compile(r'"[^"]*"?|[{}]|[^\s"{}]+')

Row = tuple[str, str]
"""What is set, and to what; the same thing may be set several times."""


def haproxy_settings(text: str) -> dict[str, str]:
    """Each line below the heading of its section; its first two words name it where it has more.

    "haproxy backend apiservers timeout connect" → "2s".
    """
    rows: list[Row] = []
    section = ""
    for line in text.splitlines():
        code = _code(line, _HAPROXY_CODE)
        words = code.split()
        if SECTION.match(code):
            section = " ".join(words[:2])
        elif words:
            named = 2 if len(words) > 2 else 1
            what = " ".join(filter(None, ("haproxy", section, *words[:named])))
            rows.append((what, " ".join(words[named:])))
    return _settings(rows)


def keepalived_settings(text: str) -> dict[str, str]:
    """Each line below the headings of its blocks; a line of one word is a value of its block.

    "keepalived vrrp_instance api advert_int" → "1".
    """
    rows: list[Row] = []
    blocks = ["keepalived"]
    for line in text.splitlines():
        words: list[str] = []
        for word in [*_KEEPALIVED_WORD.findall(_code(line, _KEEPALIVED_CODE)), "\n"]:
            if word not in ("{", "}", "\n"):
                words.append(word)
                continue
            if word == "{":
                blocks.append(" ".join(words))
            elif words:
                name, value = (words[:1], words[1:]) if len(words) > 1 else ([], words)
                what = " ".join(filter(None, [*blocks, *name]))
                rows.append((what, " ".join(value)))
            if word == "}" and len(blocks) > 1:
                blocks.pop()
            words = []
    return _settings(rows)


def static_pod_settings(text: str) -> dict[str, str]:
    """Image, flags and probes of the containers: "kube-apiserver --etcd-servers" → "https://…".

    DriverError where it is no manifest of a pod.
    """
    rows: list[Row] = []
    try:
        for container in _loaded(text)["spec"]["containers"]:
            name = str(container["name"])
            rows.append((f"{name} image", str(container.get("image", ""))))
            for word in [*container.get("command", ()), *container.get("args", ())]:
                flag, equals, value = str(word).partition("=")
                rows.append((f"{name} {flag}", value) if equals else (f"{name} command", flag))
            probes = {key: value for key, value in container.items() if key.endswith("Probe")}
            rows += _flat(name, probes)
    except (KeyError, TypeError, AttributeError) as error:
        raise DriverError(f"no manifest of a pod: {type(error).__name__}: {error}") from None
    return _settings(rows)


def etcd_settings(text: str) -> dict[str, str]:
    """Each field of etcd's configuration file: "etcd heartbeat-interval" → "100".

    DriverError where it is no YAML.
    """
    return _settings(_flat("etcd", _loaded(text)))


def nginx_settings(text: str) -> dict[str, str]:
    """Each directive below the headings of its blocks: "nginx stream server listen" → "8443".

    DriverError where it is no configuration of Nginx.
    """
    return _settings(_nginx_rows("nginx", parse_directives(text)))


def _nginx_rows(what: str, directives: Iterable[Directive]) -> Iterable[Row]:
    for one in directives:
        if one.block is None:
            yield f"{what} {one.name}", " ".join(one.words)
        else:
            yield from _nginx_rows(" ".join([what, one.name, *one.words]), one.block)


def kubelet_settings(text: str) -> dict[str, str]:
    """Each field of a KubeletConfiguration: "kubelet nodeStatusUpdateFrequency" → "10s".

    DriverError where it is no YAML.
    """
    return _settings(_flat("kubelet", _loaded(text)))


def _code(line: str, pattern: re.Pattern[str]) -> str:
    """A line up to its comment."""
    match = pattern.match(line)
    return match.group().strip() if match else ""


def _loaded(text: str) -> Mapping[str, Any]:
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise DriverError(f"no YAML: {' '.join(str(error).split())}") from None
    if not isinstance(found, dict):
        raise DriverError("no YAML mapping")
    return found


def _flat(what: str, value: object) -> Iterable[Row]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(f"{what} {key}", inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _flat(what, inner)
    else:
        yield what, str(value)


def _settings(rows: Iterable[Row]) -> dict[str, str]:
    """What is set several times has all its values, in the order of the file."""
    found: dict[str, list[str]] = {}
    for what, value in rows:
        secret = value and _SECRET.search(f"{what} {value}")
        found.setdefault(what, []).append(KEPT_OUT if secret else value)
    return {what: "; ".join(values) for what, values in found.items()}
