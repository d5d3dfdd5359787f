"""What a lab can be, and what it refuses to be."""

from __future__ import annotations

import pytest

from quorate.harness.errors import UsageError
from quorate.harness.lab.spec import LabSpec


@pytest.mark.parametrize("name", ["", "A", "1a", "a_b", "a/b", "../x", "a" * 16, "a b"])
def test_a_name_that_could_reach_outside_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="lab name"):
        LabSpec(name)


@pytest.mark.parametrize("count", [0, 2, 4, 6, -1])
def test_an_even_number_of_control_planes_is_refused(count: int) -> None:
    with pytest.raises(UsageError, match="1, 3 and 5"):
        LabSpec(control_planes=count)


@pytest.mark.parametrize("count", [0, 10])
def test_workers_are_one_to_nine(count: int) -> None:
    with pytest.raises(UsageError, match="1 to 9"):
        LabSpec(workers=count)
