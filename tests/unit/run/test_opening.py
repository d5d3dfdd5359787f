"""What a run looks at before it is there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from quorate.harness.errors import RefusedError
from quorate.harness.run.opening import refuse_expiring
from tests.unit.conftest import ClientUntil


def test_a_certificate_that_expires_within_the_run_is_refused(client_until: ClientUntil) -> None:
    soon = client_until(datetime.now(UTC) + timedelta(seconds=200))
    refuse_expiring(soon, lasts_s=100)
    with pytest.raises(
        RefusedError, match=r"valid until .* UTC, and this run may last 300 s: renew"
    ):
        refuse_expiring(soon, lasts_s=300)
    with pytest.raises(RefusedError, match="renew it"):
        refuse_expiring(client_until(datetime.now(UTC) - timedelta(days=1)), lasts_s=1)
