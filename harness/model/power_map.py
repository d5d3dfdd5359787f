"""Which switch is whose: the file that ``quorate power … --map FILE`` reads.

::

    format: 1
    defaults: {user: quorate, password: {file: bmc.password}}   # for every machine, unless it says
    machines:
      cp1: {address: 192.0.2.111}                               # names as in cluster.yaml
      cp2: {address: 192.0.2.112, password: {env: BMC_CP2}}
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from quorate.harness.model.cluster import Port
from quorate.harness.model.strict import Strict

FilePath = Annotated[Path, Field(strict=False)]
Host = Annotated[str, Field(pattern=r"^[A-Za-z0-9:][A-Za-z0-9.:-]*$")]
User = Annotated[str, Field(pattern=r"^[!-~]+$")]

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Password(Strict):
    """Where a password is; never what it is. Just one of the two."""

    file: FilePath | None = None
    env: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.file is None) == (self.env is None):
            raise ValueError("either file (mode 0600) or env (the name of a variable)")
        return self

    def below(self, folder: Path) -> Password:
        """With a path that counts from `folder` made whole."""
        if self.file is None:
            return self
        return self.model_copy(update={"file": folder / self.file.expanduser()})


class Machine(Strict):
    """What all kinds of machines offer to the reader of the file."""

    def below(self, folder: Path) -> Self:
        """With paths that count from `folder` made whole."""
        return self


class IpmiMachine(Machine):
    """A BMC that speaks IPMI 2.0 over the network (RMCP+), asked by `ipmitool -I lanplus`.

    ``level`` is the privilege that is asked for; OPERATOR is enough to switch.
    """

    address: Host
    port: Port = 623
    user: User
    password: Password
    level: Literal["OPERATOR", "ADMINISTRATOR"] = "ADMINISTRATOR"
    cipher_suite: Annotated[int, Field(ge=0, le=255)] | None = None

    def below(self, folder: Path) -> Self:
        return self.model_copy(update={"password": self.password.below(folder)})


def _bmc_url(text: str) -> str:
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    plain = parts.scheme == "http" and host in _LOOPBACK
    if not host or parts.netloc.count("@") or parts.path.strip("/") or parts.query:
        raise ValueError("https://HOST[:PORT], without user, password and path")
    if parts.scheme != "https" and not plain:
        raise ValueError("https:// (http:// only on this machine's loopback: it shows a password)")
    return f"{parts.scheme}://{parts.netloc}"


def _sha256(text: str) -> str:
    digits = text.removeprefix("sha256:").replace(":", "").lower()
    if not re.fullmatch(r"[0-9a-f]{64}", digits):
        raise ValueError("a SHA-256 in 64 hexadecimal digits, as openssl x509 -fingerprint prints")
    return digits


class RedfishMachine(Machine):
    """A BMC that speaks Redfish. Its certificate is always checked: by this machine's CAs, by
    ``ca``, or, for one that it made itself, by ``fingerprint``.

    ``system`` is the Id of the ComputerSystem; it may be left out where there is one alone.
    """

    url: Annotated[str, AfterValidator(_bmc_url)]
    user: User
    password: Password
    system: Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]+$")] | None = None
    ca: FilePath | None = None
    fingerprint: Annotated[str, AfterValidator(_sha256)] | None = None

    @model_validator(mode="after")
    def _one_check(self) -> Self:
        if self.ca is not None and self.fingerprint is not None:
            raise ValueError("ca or fingerprint, not both")
        return self

    def below(self, folder: Path) -> Self:
        changed: dict[str, object] = {"password": self.password.below(folder)}
        if self.ca is not None:
            changed["ca"] = folder / self.ca.expanduser()
        return self.model_copy(update=changed)


def _not_an_id(text: str) -> str:
    if text.isdigit():
        raise ValueError("a name or a UUID, no number: virsh takes one for an id of the moment")
    return text


class VirshMachine(Machine):
    """A virtual machine of libvirt; ``connect`` is libvirt's URI, ``domain`` a name or UUID."""

    connect: Annotated[str, Field(pattern=r"^[a-z][!-~]*$")] = "qemu:///system"
    domain: Annotated[str, Field(pattern=r"^[^-\s][^\n]*$"), AfterValidator(_not_an_id)]


class PowerMap(Strict):
    """The file as a whole; a machine's keys are checked when its kind is known."""

    format: Literal[1]
    defaults: Mapping[str, Any] = {}
    machines: Annotated[Mapping[str, Mapping[str, Any]], Field(min_length=1)]
