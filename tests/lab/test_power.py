"""The power switch is a power cut: nothing of a dying machine reaches the network."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.lab import sniff
from tests.lab.conftest import Lab, eventually

pytestmark = pytest.mark.lab

VIP = "10.77.0.100"


def _holder(lab: Lab) -> str:
    for node in ("cp1", "cp2", "cp3"):
        if VIP in lab.on(node, "ip", "-brief", "address").stdout:
            return node
    pytest.fail("nobody holds the VIP")


@contextlib.contextmanager
def _sniffed(lab: Lab, node: str) -> Iterator[Callable[[], list[str]]]:
    """Listen at the switch to what `node` sends; the words so far are for the asking."""
    namespace = f"--net=/run/quorate/{lab.name}/net/switch"
    argv = ["nsenter", namespace, sys.executable, str(Path(sniff.__file__)), node]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"

        def words() -> list[str]:
            process.terminate()
            return process.communicate(timeout=10)[0].split()

        try:
            yield words
        finally:
            process.kill()


def test_no_fin_and_no_farewell_advert_leaves_the_node(lab: Lab) -> None:
    holder = _holder(lab)
    boot_id = ("cat", "/proc/sys/kernel/random/boot_id")
    before = lab.on(holder, *boot_id).stdout
    with _sniffed(lab, holder) as words:
        time.sleep(2.5)  # at least two adverts: the sniffer hears this machine
        lab.run("lab", "power", "--name", lab.name, "off", holder)
        time.sleep(0.5)
        heard = words()
    try:
        assert "vrrp" in heard
        assert "vrrp0" not in heard
        # Ordinary traffic closes connections too; dying processes would close hundreds at once.
        assert heard[-20:].count("fin") + heard[-20:].count("rst") < 10, heard[-20:]
        assert lab.on(holder, "true").returncode != 0
    finally:
        lab.run("lab", "power", "--name", lab.name, "on", holder)
        eventually("the cluster is whole", lab.is_whole, timeout_s=120)
    assert lab.on(holder, *boot_id).stdout.strip() not in ("", before.strip())


def test_the_sniffer_would_have_heard_a_farewell(lab: Lab) -> None:
    """The control of the test above: an orderly stop of keepalived says goodbye."""
    holder = _holder(lab)
    with _sniffed(lab, holder) as words:
        lab.on(holder, "systemctl", "stop", "keepalived")
        time.sleep(0.5)
        heard = words()
    lab.on(holder, "systemctl", "start", "keepalived")
    assert "vrrp0" in heard
