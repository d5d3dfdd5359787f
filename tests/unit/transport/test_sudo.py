"""sudo in front of what ssh runs: the words, the password's way, and what a refusal says.

`sudo` here is a stand-in on PATH that does what sudo(8) says of -n, -k, -S; tests/lab meets the
real one.
"""

from __future__ import annotations

import os
import select
from pathlib import Path

import pytest

from quorate.harness.errors import CommandFailed, RefusedError, SudoRefused, TransportError
from quorate.harness.model.cluster import Cluster
from quorate.harness.transport import SshTransport
from quorate.harness.undo import guardian, sudo_password

SSH = """\
#!/bin/sh
for word; do :; done
printf '%s\\n' "$*" >> "$(dirname "$0")/argv"
exec sh -c "$word"
"""
SUDO = """\
#!/bin/bash
# `policy` beside it: ask, nopasswd, none
here=$(dirname "$0"); policy=$(cat "$here/policy"); mode=ask
while [ "$1" != -- ]; do
    case $1 in -n) mode=never ;; -p) shift ;; esac
    shift
done
shift
[ "$policy" = none ] && { echo "ops is not in the sudoers file." >&2; exit 1; }
if [ "$policy" = ask ]; then
    [ $mode = never ] && { echo "sudo: a password is required" >&2; exit 1; }
    for try in 1 2 3; do
        IFS= read -r line || { echo "sudo: no password was provided" >&2; exit 1; }
        echo x >> "$here/tries"
        [ "$line" = 'p4ss word' ] && break
        echo "Sorry, try again." >&2
        [ $try = 3 ] && { echo "sudo: 3 incorrect password attempts" >&2; exit 1; }
    done
fi
command -v "$1" > /dev/null || { echo "sudo: $1: command not found" >&2; exit 1; }
QUORATE_TEST_ROOT=yes exec "$@"
"""
PASSWORD = "p4ss word"


class Node:
    """One node behind the stand-ins."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name, text in (("ssh", SSH), ("sudo", SUDO)):
            (folder / name).write_text(text)
            (folder / name).chmod(0o755)
        self.policy("nopasswd")

    def policy(self, word: str) -> None:
        (self.folder / "policy").write_text(word)

    @property
    def tries(self) -> int:
        file = self.folder / "tries"
        return len(file.read_text().split()) if file.exists() else 0

    @property
    def argv(self) -> str:
        return (self.folder / "argv").read_text()


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Node:
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr(sudo_password, "_kept", [])
    return Node(tmp_path)


@pytest.fixture
def with_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(sudo_password.VARIABLE, PASSWORD)


def transport(*, sudo: bool = True) -> SshTransport:
    return SshTransport(
        Cluster.model_validate(
            {
                "format": 1,
                "name": "c",
                "kubeconfig": "kubeconfig",
                "virtual_ip": {"address": "192.0.2.9", "port": 8443},
                "nodes": [{"name": "cp1", "address": "192.0.2.1", "roles": ["control-plane"]}],
                "ssh": {"user": "ops", "sudo": sudo},
            }
        )
    )


ECHO = ["sh", "-c", 'echo "$QUORATE_TEST_ROOT"; cat']


def test_the_command_runs_behind_it_with_its_own_stdin(node: Node) -> None:
    done = transport().check("cp1", ECHO, stdin=b"one\ntwo")
    assert done.stdout == "yes\none\ntwo"
    assert done.argv == tuple(ECHO), "what is journalled and shown does not name sudo"
    assert " -- 192.0.2.1 sudo -n -- sh -c " in node.argv


def test_without_it_nothing_is_put_in_front(node: Node) -> None:
    assert transport(sudo=False).check("cp1", ECHO, stdin=b"one").stdout == "\none"
    assert "sudo" not in node.argv


@pytest.mark.usefixtures("with_password")
@pytest.mark.parametrize("policy", ["ask", "nopasswd"])
def test_no_line_of_ours_reaches_the_command(node: Node, policy: str) -> None:
    """With NOPASSWD sudo does not read the password, and the command must not either."""
    node.policy(policy)
    words = ["sh", "-c", 'printf "%s|" "$@"; cat', "x", "a b", "", "$HOME;", "'"]
    done = transport().check("cp1", words, stdin=b"mine\n")
    assert done.stdout == "a b||$HOME;|'|mine\n"
    assert PASSWORD not in node.argv
    assert PASSWORD not in done.pasteable


@pytest.mark.usefixtures("with_password")
@pytest.mark.parametrize("policy", ["ask", "nopasswd"])
def test_a_stream_talks_both_ways(node: Node, policy: str) -> None:
    node.policy(policy)
    with transport().stream("cp1", ["sh", "-c", "read a; echo $a; read b; echo $b"]) as stream:
        stream.write(b"1\n2\n")
        assert list(stream) == ["1", "2"]


@pytest.mark.usefixtures("with_password")
def test_the_password_is_out_of_the_environment_and_given_to_the_guardian(node: Node) -> None:
    node.policy("ask")
    over = transport()
    assert sudo_password.VARIABLE not in os.environ
    assert over.check("cp1", ["env"]).stdout.count(PASSWORD) == 0
    assert sudo_password.for_the_guardian() == {sudo_password.VARIABLE: PASSWORD}
    assert transport().check("cp1", ["true"]).returncode == 0, "known to the next one, too"


def test_a_wrong_password_is_tried_once(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(sudo_password.VARIABLE, "wr0ng")
    node.policy("ask")
    over = transport()
    for _ in range(3):
        with pytest.raises(SudoRefused, match="cp1: sudo does not let ops run") as caught:
            over.run("cp1", ["nft", "list", "tables"], stdin=b"a\nb\nc\n")
        assert "wr0ng" not in str(caught.value)
    with over.stream("cp1", ["cat"]) as stream:
        while not stream.ended:
            select.select([stream], [], [], 5)
            stream.read_lines()
        assert "sudo does not let ops" in stream.stderr_tail()
    assert node.tries == 1


@pytest.mark.parametrize("policy", ["ask", "none"])
def test_a_refusal_names_node_user_and_what_would_allow_it(node: Node, policy: str) -> None:
    node.policy(policy)
    with pytest.raises(SudoRefused) as caught:
        transport().run("cp1", ["nft", "list", "tables"])
    said = str(caught.value)
    assert said.startswith("cp1: sudo does not let ops run nft list tables: ")
    assert "ops ALL=(root) NOPASSWD: ALL" in said
    assert "--ask-sudo-password" in said
    assert isinstance(caught.value, RefusedError)
    assert isinstance(caught.value, TransportError)


def test_a_command_s_own_failure_is_no_refusal(node: Node) -> None:
    over = transport()
    with pytest.raises(CommandFailed, match="ended with 1: sudo: unable to resolve host cp1"):
        over.check("cp1", ["sh", "-c", "echo sudo: unable to resolve host cp1 >&2; exit 1"])
    assert over.run("cp1", ["no-such-program-here"]).returncode == 127


def test_a_node_without_sudo_is_told(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    (node.folder / "sudo").unlink()
    monkeypatch.setenv("PATH", f"{node.folder}:/bin")
    with pytest.raises(SudoRefused, match="has no sudo"):
        transport().run("cp1", ["true"])


def test_the_guardian_alone_is_given_the_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sudo_password, "_kept", [])
    assert sudo_password.VARIABLE not in guardian._environment()
    monkeypatch.setenv(sudo_password.VARIABLE, PASSWORD)
    assert guardian._environment()[sudo_password.VARIABLE] == PASSWORD
    assert sudo_password.VARIABLE not in os.environ
