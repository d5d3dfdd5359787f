"""certificate_expiring: an API server's certificate file is valid for a few days more."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.files import cover_by_argv
from quorate.harness.drivers.signing import APISERVER, parse_certificate, renewed_argv
from quorate.harness.errors import RefusedError
from quorate.harness.faults.contract import Act, Arrangement, Parameter, Plan, Proof
from quorate.harness.faults.covers.manifest import refuse_covered, uncover
from quorate.harness.model.undo import Undo

DAYS = 7


class CertificateExpiring(Arrangement):
    """On the first control plane, by a cover that its own authority has signed: same key, subject,
    names and issuer. A container's mounts were made before, so the API server that runs goes on
    with the file it knows; one that is started meanwhile gets this one, which is as good."""

    name: ClassVar[str] = "certificate_expiring"
    summary: ClassVar[str] = (
        f"The file of an API server's certificate says that it expires in `days` days ({DAYS}); "
        "signed by the cluster's authority, with openssl of 3.0 or newer on that control plane."
    )
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("days", int, DAYS, "whole days above 0 for which it is valid"),
    )

    def prepare(self, drivers: Drivers, *, arguments: Mapping[str, object]) -> Mapping[str, str]:
        node = drivers.cluster.control_planes[0].name
        refuse_covered(drivers, node=node, path=APISERVER)
        lacking = drivers.signing.lacking(node, APISERVER)
        if lacking:
            raise RefusedError(f"{node} cannot sign {APISERVER} anew: {lacking}")
        text = drivers.files.text(node, APISERVER) or ""
        if parse_certificate(text).until <= _end(arguments):
            raise RefusedError(f"{APISERVER} on {node} expires as soon as that already")
        return {"node": node, "certificate": text}

    def undos(self, drivers: Drivers, *, plan: Plan) -> Sequence[Undo]:
        return [uncover(plan, node=plan.before["node"], path=APISERVER)]

    def acts(self, drivers: Drivers, *, plan: Plan) -> Sequence[Act]:
        days = plan.arguments["days"]
        assert isinstance(days, int)
        serial = zlib.crc32(plan.mark.encode())
        signed = renewed_argv(APISERVER, serial=serial, days=days)
        return [Act(plan.before["node"], cover_by_argv(APISERVER, signed, folder=plan.folder))]

    def proof(self, drivers: Drivers, *, plan: Plan) -> Proof:
        node = plan.before["node"]
        before = parse_certificate(plan.before["certificate"])
        now = parse_certificate(drivers.files.text(node, APISERVER) or "")
        same = (now.subject, now.issuer, now.key) == (before.subject, before.issuer, before.key)
        until = f"{APISERVER} on {node} is valid until {now.until:%Y-%m-%d %H:%M} UTC"
        if not same:
            return Proof(False, f"{until}, and is another's")
        return Proof(now.until <= _end(plan.arguments), until)


def _end(arguments: Mapping[str, object]) -> datetime:
    """The end of what is signed now, by whoever's clock; a node's may be a little off."""
    days = arguments["days"]
    assert isinstance(days, int)
    return datetime.now(UTC) + timedelta(days=days, hours=1)
