from __future__ import annotations

import shlex
from typing import Any

import pytest

from quorate.harness.errors import Missing, PreflightError
from quorate.harness.model.cluster import Cluster
from quorate.harness.transport import SshTransport


def command(argv: list[str], **ssh: Any) -> tuple[str, ...]:
    cluster = {
        "format": 1,
        "name": "c",
        "kubeconfig": "kubeconfig",
        "virtual_ip": {"address": "192.0.2.9", "port": 8443},
        "nodes": [{"name": "cp1", "address": "192.0.2.1", "roles": ["control-plane"]}],
        "ssh": ssh,
    }
    return SshTransport(Cluster.model_validate(cluster)).command("cp1", argv)


def option(words: tuple[str, ...], name: str) -> str:
    """The value that ssh takes: the first one given (ssh_config(5))."""
    return next(word.partition("=")[2] for word in words if word.startswith(f"{name}="))


def test_nobody_is_asked_and_a_dead_node_is_noticed() -> None:
    words = command(["true"])
    assert option(words, "BatchMode") == "yes"
    assert option(words, "ConnectTimeout") == "5"
    assert option(words, "ServerAliveInterval") == "2"
    assert option(words, "ControlPath") == "none"


def test_host_keys_and_the_user_are_left_to_the_users_own_configuration() -> None:
    words = command(["true"])
    assert not any("HostKey" in word or "KnownHosts" in word for word in words)
    assert "-l" not in words
    assert "-p" not in words


def test_the_users_options_win_over_ours_but_for_batch_mode() -> None:
    words = command(["true"], options=["-o", "ConnectTimeout=30", "-o", "BatchMode=no"])
    assert option(words, "ConnectTimeout") == "30"
    assert option(words, "BatchMode") == "yes"


def test_user_port_and_words_are_where_ssh_wants_them() -> None:
    words = command(["cat", "a b; rm -rf /"], user="ops", port=2222)
    assert words[-7:-3] == ("-l", "ops", "-p", "2222")
    assert words[-3:-1] == ("--", "192.0.2.1")
    assert shlex.split(words[-1]) == ["cat", "a b; rm -rf /"]


def test_no_ssh_on_this_machine_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    transport = SshTransport(
        Cluster.model_validate(
            {
                "format": 1,
                "name": "c",
                "kubeconfig": "k",
                "virtual_ip": {"address": "192.0.2.9", "port": 8443},
                "nodes": [{"name": "cp1", "address": "192.0.2.1", "roles": ["control-plane"]}],
            }
        )
    )
    for ask in (transport.run, transport.stream):
        with pytest.raises(PreflightError) as caught:
            ask("cp1", ["true"])
        assert caught.value.missing == (
            Missing("the ssh client", "apt-get install openssh-client"),
        )
