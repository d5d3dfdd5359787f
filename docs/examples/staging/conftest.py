"""What every report of this staging project carries: which state of it was tested."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(scope="session", autouse=True)
def tested(record_testsuite_property):
    """The release candidate, as the CI system names it."""
    record_testsuite_property("release", os.environ.get("RELEASE", "unknown"))
