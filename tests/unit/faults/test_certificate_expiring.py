"""certificate_expiring: signed on the node, and the same but for its end; by the real openssl."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.files import FileDriver, covered_argv
from quorate.harness.drivers.signing import (
    APISERVER,
    PKI,
    SigningDriver,
    able_argv,
    parse_certificate,
    renewed_argv,
)
from quorate.harness.errors import DriverError, RefusedError
from quorate.harness.faults.arrangements.certificate_expiring import CertificateExpiring
from quorate.harness.faults.contract import Plan
from quorate.harness.run.arranging import Start
from quorate.harness.run.switches import switches_for
from quorate.harness.transport import MemoryTransport, Reply
from tests.known import certificates

SUBJECT = CertificateExpiring()


def played(argv: Sequence[str], pki: Path) -> subprocess.CompletedProcess[str]:
    here = [word.replace(PKI, str(pki)) for word in argv]
    return subprocess.run(here, capture_output=True, text=True, timeout=20, check=False)


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = certificates.written(tmp_path_factory.mktemp("pki"))
    for old, new in (("ca.pem", "ca.crt"), ("server.pem", "apiserver.crt")):
        (folder / old).rename(folder / new)
    (folder / "server.key").rename(folder / "apiserver.key")
    long = renewed_argv(APISERVER, serial=1, days=365)
    (folder / "apiserver.crt").write_text(played(long, folder).stdout)
    return folder


@pytest.fixture(autouse=True)
def node(drivers: Drivers, transport: MemoryTransport, pki: Path) -> MemoryTransport:
    object.__setattr__(drivers, "files", FileDriver(transport))
    object.__setattr__(drivers, "signing", SigningDriver(transport))
    transport.on(*covered_argv(APISERVER), reply=Reply("uncovered\n"))
    transport.on(*able_argv(APISERVER), reply=Reply(""))
    text = (pki / "apiserver.crt").read_text()
    return transport.on("cat", APISERVER, reply=Reply(text))


def planned(drivers: Drivers, days: int = 7) -> Plan:
    return Start({"days": days}).plan(SUBJECT, drivers=drivers, mark="m-1", holder=None)


def test_what_is_signed_differs_in_its_end_alone(pki: Path) -> None:
    argv = renewed_argv(APISERVER, serial=4711, days=7)
    made = played(argv, pki).stdout
    before, now = parse_certificate((pki / "apiserver.crt").read_text()), parse_certificate(made)
    assert (now.subject, now.issuer, now.key) == (before.subject, before.issuer, before.key)
    left = now.until - datetime.now(UTC)
    assert timedelta(days=6, hours=23) < left <= timedelta(days=7)
    (pki / "made.crt").write_text(made)
    verify = ["openssl", "verify", "-CAfile", f"{pki}/ca.crt", "-verify_ip", "127.0.0.1"]
    assert subprocess.run([*verify, f"{pki}/made.crt"], capture_output=True).returncode == 0


def test_it_is_there_when_the_file_is_the_same_key_s_and_ends_soon(
    drivers: Drivers, node: MemoryTransport, pki: Path, tmp_path: Path
) -> None:
    plan = planned(drivers)
    assert not SUBJECT.proof(drivers, plan=plan).ok
    another = certificates.written(tmp_path) / "server.pem"
    node.on("cat", APISERVER, reply=Reply(another.read_text()))
    assert not SUBJECT.proof(drivers, plan=plan).ok, "it ends soon, and is another's"
    made = played(renewed_argv(APISERVER, serial=1, days=7), pki)
    node.on("cat", APISERVER, reply=Reply(made.stdout))
    assert SUBJECT.proof(drivers, plan=plan).ok


def test_what_it_does_it_takes_back_and_no_key_is_among_it(drivers: Drivers) -> None:
    plan = planned(drivers)
    (act,), (undo,) = SUBJECT.acts(drivers, plan=plan), SUBJECT.undos(drivers, plan=plan)
    assert act.node == undo.node == "cp1"
    assert len(switches_for([undo], plan=plan)) == 1
    assert "PRIVATE KEY" not in repr((act, undo, plan))
    assert undo.confirm_argv == covered_argv(APISERVER)


def test_what_stands_in_the_way_is_told(drivers: Drivers, node: MemoryTransport, pki: Path) -> None:
    with pytest.raises(RefusedError, match="expires as soon as that already"):
        planned(drivers, days=400)
    node.on(*able_argv(APISERVER), reply=Reply("no /etc/x/ca.key\n", returncode=1))
    with pytest.raises(RefusedError, match=r"cp1 cannot sign .* anew: no /etc/x/ca\.key"):
        planned(drivers)
    node.on(*covered_argv(APISERVER), reply=Reply("covered\n"))
    with pytest.raises(RefusedError, match="quorate undo"):
        planned(drivers)
    with pytest.raises(DriverError, match="not a certificate"):
        parse_certificate("")


def test_the_node_is_asked_for_all_that_is_needed(pki: Path, tmp_path: Path) -> None:
    assert played(able_argv(APISERVER), pki).returncode == 0
    lacking = played(able_argv(APISERVER), tmp_path)
    assert (lacking.returncode, lacking.stdout) == (1, f"no {tmp_path}/apiserver.crt\n")
