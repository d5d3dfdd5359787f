"""The power map: what is wrong is told with its place, and a password never."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from quorate.harness.errors import RefusedError, SpecError, UsageError
from quorate.harness.model.cluster import Power
from quorate.harness.model.power_map import (
    IpmiMachine,
    Machine,
    Password,
    RedfishMachine,
    VirshMachine,
)
from quorate.harness.store.power_map_file import read_machine, read_password

MAP = """format: 1
defaults: {user: quorate, password: {file: bmc.password}}
machines:
  cp1: {address: 192.0.2.111}
  cp2: {address: "2001:db8::2", user: root, password: {env: BMC_CP2}, level: OPERATOR}
"""
REDFISH = "user: quorate, password: {env: BMC}"
DIGITS = "0" * 64


def test_a_machine_goes_before_the_defaults_and_paths_count_from_the_file(tmp_path: Path) -> None:
    file = tmp_path / "power.yaml"
    file.write_text(MAP)
    cp1 = read_machine(file, "cp1", model=IpmiMachine)
    assert (cp1.user, cp1.port, cp1.level) == ("quorate", 623, "ADMINISTRATOR")
    assert cp1.password.file == tmp_path / "bmc.password"
    cp2 = read_machine(file, "cp2", model=IpmiMachine)
    assert (cp2.user, cp2.password, cp2.level) == ("root", Password(env="BMC_CP2"), "OPERATOR")
    with pytest.raises(UsageError, match="no machine 'cp3'; it has: cp1, cp2"):
        read_machine(file, "cp3", model=IpmiMachine)


@pytest.mark.parametrize(
    ("model", "machine", "said"),
    [
        (VirshMachine, "domian: vm1", "the unknown key 'domian', allowed: connect, domain"),
        (VirshMachine, "domain: '7'", "a name or a UUID"),
        (VirshMachine, "domain: --all", "pattern"),
        (VirshMachine, "connect: qemu:///system", "domain: found nothing"),
        (RedfishMachine, f"url: 'http://192.0.2.1', {REDFISH}", "https://"),
        (
            RedfishMachine,
            f"url: 'https://a:planted@192.0.2.1', {REDFISH}",
            "without user, password",
        ),
        (RedfishMachine, f"url: 'https://192.0.2.1/redfish/v1', {REDFISH}", "and path"),
        (RedfishMachine, f"url: 'https://[', {REDFISH}", "https://HOST"),
        (RedfishMachine, f"url: 'https://b', fingerprint: abc, {REDFISH}", "64 hexadecimal"),
        (
            RedfishMachine,
            f"url: 'https://b', ca: ca.pem, fingerprint: '{DIGITS}', {REDFISH}",
            "ca or fingerprint",
        ),
        (IpmiMachine, "address: 192.0.2.1, user: a, password: planted", "may be a password"),
        (IpmiMachine, "address: 192.0.2.1, user: a, password: {env: planted!}", "password.env"),
        (IpmiMachine, "address: 192.0.2.1, user: a, password: {}", "either file"),
        (IpmiMachine, "address: -h, user: a, password: {env: B}", "address"),
    ],
)
def test_a_mistake_is_told_with_its_line(
    tmp_path: Path, model: type[Machine], machine: str, said: str
) -> None:
    file = tmp_path / "power.yaml"
    file.write_text(f"format: 1\nmachines:\n  cp1: {{{machine}}}\n")
    with pytest.raises(SpecError, match=r"machines\.cp1") as caught:
        read_machine(file, "cp1", model=model)
    assert said in str(caught.value)
    assert "planted" not in str(caught.value)
    assert str(caught.value).startswith(f"{file}:3: ")


def test_the_maps_of_the_page_are_read(root: Path, tmp_path: Path) -> None:
    page = (root / "docs" / "power.md").read_text(encoding="utf-8")
    command, *maps = re.findall(r"^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    power = Power.model_validate(yaml.safe_load(command)["power"])
    assert power.argv("off", node="cp1")[1:5] == ("power", "ipmitool", "off", "cp1")
    file = tmp_path / "power.yaml"
    models: tuple[type[Machine], ...] = (IpmiMachine, RedfishMachine, VirshMachine)
    for model, text in zip(models, maps, strict=True):
        file.write_text(text)
        assert isinstance(read_machine(file, "cp1", model=model), model)


def test_a_file_that_is_not_there_and_one_without_machines(tmp_path: Path) -> None:
    file = tmp_path / "power.yaml"
    with pytest.raises(SpecError, match="No such file"):
        read_machine(file, "cp1", model=VirshMachine)
    file.write_text("format: 1\nmachines: {}\n")
    with pytest.raises(SpecError, match="machines"):
        read_machine(file, "cp1", model=VirshMachine)


def test_a_password_is_one_line_that_nobody_else_may_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "bmc.password"
    monkeypatch.delenv("BMC", raising=False)
    with pytest.raises(RefusedError, match="No such file"):
        read_password(Password(file=file))
    with pytest.raises(RefusedError, match="the environment has no BMC"):
        read_password(Password(env="BMC"))
    file.write_text("planted secret\n")
    file.chmod(0o640)
    with pytest.raises(RefusedError, match=r"mode 0640.*chmod 600") as caught:
        read_password(Password(file=file))
    assert "planted" not in str(caught.value)
    file.chmod(0o600)
    assert read_password(Password(file=file)) == "planted secret"
    for wrong in ("", "\n", "planted\nsecret\n"):
        file.write_text(wrong)
        with pytest.raises(RefusedError, match="one line"):
            read_password(Password(file=file))
    monkeypatch.setenv("BMC", "planted")
    assert read_password(Password(env="BMC")) == "planted"
