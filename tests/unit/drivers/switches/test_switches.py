"""`quorate power` as cluster.yaml would call it, against simulators."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from quorate.harness import cli
from quorate.harness.drivers.clock import MonotonicClock
from quorate.harness.drivers.switches.redfish import RedfishSwitch
from quorate.harness.errors import DriverError, TransportError
from quorate.harness.model.power_map import Password, RedfishMachine
from tests.known import certificates
from tests.unit.drivers.switches.simulators import PARENT, RESET, SECRET, Bmc, write_programs


@dataclass(frozen=True)
class Simulated:
    """One kind of switch: the text of its machine in a map, its power, what it was asked."""

    kind: str
    machine: str
    power: Callable[[], str]
    asked: Callable[[], list[str]]
    acts: tuple[str, str]
    """A part of what it is asked for off, and for on."""


@pytest.fixture
def bmc() -> Iterator[Bmc]:
    yield from _serving(Bmc())


def _serving(server: Bmc) -> Iterator[Bmc]:
    with server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = write_programs(tmp_path)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    monkeypatch.setenv("SIMULATED", str(tmp_path))
    monkeypatch.setenv("BMC", SECRET)
    monkeypatch.setattr(MonotonicClock, "sleep", lambda self, seconds: None)
    return tmp_path


@pytest.fixture(params=["ipmitool", "redfish", "virsh"])
def simulated(request: pytest.FixtureRequest, programs: Path, bmc: Bmc) -> Simulated:
    def power() -> str:
        return (programs / "power").read_text().strip()

    def asked() -> list[str]:
        return (programs / "asked").read_text().splitlines()

    account = "user: quorate, password: {env: BMC}"
    if request.param == "redfish":
        machine = f"url: 'http://127.0.0.1:{bmc.port}', {account}"
        acts = ("ForceOff", '"On"')
        return Simulated(
            "redfish", machine, lambda: str(bmc.power).lower(), lambda: bmc.asked, acts
        )
    if request.param == "virsh":
        return Simulated("virsh", "domain: vm1", power, asked, ("destroy", "start"))
    machine = f"address: 192.0.2.111, {account}"
    return Simulated("ipmitool", machine, power, asked, ("power off", "power on"))


@pytest.fixture
def switch(
    simulated: Simulated, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Calls `quorate power` for cp1; its exit code and what it said."""
    file = tmp_path / "power.yaml"
    file.write_text(f"format: 1\nmachines:\n  cp1: {{{simulated.machine}}}\n")

    def call(action: str, *options: str) -> tuple[int, str, str]:
        try:
            argv = ["power", simulated.kind, action, "cp1", "--map", str(file), *options]
            cli.main(argv)
        except SystemExit as end:
            code = end.code
        out, err = capfd.readouterr()
        assert isinstance(code, int)
        return code, out, err

    return call


Call = Callable[..., tuple[int, str, str]]


def test_off_and_on_and_each_twice(simulated: Simulated, switch: Call) -> None:
    off, on = simulated.acts
    assert switch("off") == (0, "cp1: off\n", "")
    assert simulated.power() == "off"
    assert sum(off in one for one in simulated.asked()) == 1
    assert switch("off") == (0, "cp1: off already\n", "")
    assert switch("on") == (0, "cp1: on\n", "")
    assert simulated.power() == "on"
    assert switch("on") == (0, "cp1: on already\n", "")
    assert sum(off in one for one in simulated.asked()) == 1
    assert sum(on in one for one in simulated.asked()) == 1


def test_status_and_dry_run_change_nothing(simulated: Simulated, switch: Call) -> None:
    code, out, _ = switch("off", "--dry-run")
    assert code == 0
    assert simulated.acts[0] in out.splitlines()[1]
    assert switch("on", "--dry-run")[1].splitlines()[1] == "on would do: nothing"
    assert switch("status")[1].casefold() in ("cp1: on\n", "cp1: running\n")
    assert simulated.power() == "on"
    assert not [one for one in simulated.asked() if simulated.acts[0] in one]


def test_a_password_is_in_no_argument_and_no_output(
    simulated: Simulated, switch: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = [*switch("off"), *switch("on", "--dry-run")]
    if simulated.kind != "virsh":
        monkeypatch.setenv("BMC", f"wrong-{SECRET}")
        code, out, err = switch("on")
        assert code == 3
        assert "password" in err or "Unable to establish IPMI" in err
        assert "\x1b" not in err
        said += [out, err]
    assert SECRET not in " ".join(map(str, said))
    assert SECRET not in "".join(simulated.asked())


def test_a_program_that_is_not_there_is_named_with_its_package(
    simulated: Simulated, switch: Call, programs: Path
) -> None:
    if simulated.kind == "redfish":
        return
    (programs / "bin" / simulated.kind).unlink()
    code, _, err = switch("off")
    assert code == 3
    assert "apt-get install" in err


@pytest.mark.parametrize("simulated", ["virsh"], indirect=True)
def test_a_domain_that_would_be_gone_is_not_switched_off(
    simulated: Simulated, switch: Call, programs: Path
) -> None:
    (programs / "persistent").write_text("no\n")
    for options in ((), ("--dry-run",)):
        code, _, err = switch("off", *options)
        assert code == 3
        assert "transient" in err
    assert simulated.power() == "on"
    (programs / "power").write_text("off\n")
    assert switch("on")[0] == 0


@pytest.mark.parametrize("simulated", ["ipmitool"], indirect=True)
def test_what_cannot_be_read_is_neither_on_nor_off(
    simulated: Simulated, switch: Call, programs: Path
) -> None:
    (programs / "power").write_text("unknown\n")
    code, _, err = switch("off")
    assert code == 3
    assert "Chassis Power is unknown" in err
    assert simulated.power() == "unknown"


def _switch(port: int, scheme: str = "http", **given: Any) -> RedfishSwitch:
    machine = RedfishMachine(
        url=f"{scheme}://127.0.0.1:{port}", user="quorate", password=Password(env="BMC"), **given
    )
    return RedfishSwitch("cp1", machine, password=SECRET)


def test_one_of_several_systems_is_never_guessed(bmc: Bmc) -> None:
    bmc.systems = ["1", "2"]
    with pytest.raises(DriverError, match=r"has the systems 1, 2; say which is meant: system: ID"):
        _switch(bmc.port).power()
    assert _switch(bmc.port, system="1").power().word == "On"
    with pytest.raises(DriverError, match="404 'no such resource'"):
        _switch(bmc.port, system="3").power()


def test_never_a_button_or_a_soft_shutdown(bmc: Bmc) -> None:
    bmc.offered = ["GracefulShutdown", "PushPowerButton"]
    for action in ("off", "on"):
        with pytest.raises(DriverError, match="only GracefulShutdown, PushPowerButton"):
            _switch(bmc.port).step(action)
    bmc.offered = None
    assert '"ForceOff"' in _switch(bmc.port).step("off").text


def test_the_password_goes_to_no_other_place(bmc: Bmc) -> None:
    bmc.target = "http://127.0.0.1:9/redfish/v1/Systems/1"
    with pytest.raises(DriverError, match=r"offers no ComputerSystem\.Reset"):
        _switch(bmc.port).step("off")
    bmc.answers = [(302, {})]
    with pytest.raises(DriverError, match="answered 302"):
        _switch(bmc.port).power()


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ((503, "busy"), TransportError),
        ((409, {"error": {"message": "in transition"}}), TransportError),
        ((403, {}), DriverError),
        ((200, "<html>"), DriverError),
        ((200, []), DriverError),
        ((200, {}), DriverError),
    ],
    ids=str,
)
def test_what_is_asked_again_and_what_is_not(
    bmc: Bmc, answer: tuple[int, object], error: type[Exception]
) -> None:
    bmc.answers = [answer]
    with pytest.raises(error):
        _switch(bmc.port, system="1").power()
    assert bmc.asked == [f"GET {PARENT}/1"]


def test_nobody_listening_is_asked_again(bmc: Bmc) -> None:
    bmc.shutdown()
    bmc.server_close()
    with pytest.raises(TransportError, match="refused"):
        _switch(bmc.port).power()


def test_what_the_dry_run_says_is_what_is_sent(bmc: Bmc) -> None:
    step = _switch(bmc.port).step("off")
    step.run()
    assert step.text == f'POST http://127.0.0.1:{bmc.port}{RESET} {{"ResetType": "ForceOff"}}'
    assert bmc.asked[-1] == f'POST {RESET} {{"ResetType": "ForceOff"}}'


def test_the_certificate_is_always_checked(tmp_path: Path) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    folder = certificates.written(tmp_path)
    made = x509.load_pem_x509_certificate((folder / "server.pem").read_bytes())
    fingerprint = made.fingerprint(hashes.SHA256()).hex(":").upper()
    other = fingerprint[:-2] + ("00" if fingerprint[-2:] != "00" else "11")
    for bmc in _serving(Bmc(certificate=(folder / "server.pem", folder / "server.key"))):
        assert _switch(bmc.port, "https", fingerprint=fingerprint).power().word == "On"
        assert _switch(bmc.port, "https", ca=folder / "ca.pem").power().word == "On"
        bmc.asked.clear()
        for given in ({}, {"fingerprint": other}, {"ca": folder / "client.pem"}):
            with pytest.raises(DriverError, match="is not the one expected"):
                _switch(bmc.port, "https", **given).power()
        assert bmc.asked == []
