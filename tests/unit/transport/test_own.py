"""Words of ours become a command where they are run, by that machine's own cluster.yaml."""

from __future__ import annotations

import pytest

from quorate.harness.drivers.power import PowerDriver
from quorate.harness.errors import RefusedError
from quorate.harness.model.cluster import HARNESS, Cluster, Power
from quorate.harness.transport import LocalTransport
from quorate.harness.transport.own import spelled


def test_the_power_switch_is_the_one_of_whoever_undoes(cluster: Cluster) -> None:
    journalled = PowerDriver(cluster).on_argv("cp1")
    assert "switch" not in journalled
    assert spelled(journalled, cluster=cluster) == ("switch", "on", "cp1")
    other = Power(command=("ipmi", "{node}", "{action}"))
    elsewhere = cluster.model_copy(update={"power": other})
    assert spelled(journalled, cluster=elsewhere) == ("ipmi", "cp1", "on")
    without = cluster.model_copy(update={"power": None})
    with pytest.raises(RefusedError, match="no power switch"):
        spelled(journalled, cluster=without)
    with pytest.raises(RefusedError, match="no power switch"):
        PowerDriver(without).off_argv("cp1")


def test_a_result_tells_the_words_and_the_command_is_what_ran() -> None:
    local = LocalTransport(spell=lambda argv: ("echo", *argv[1:]))
    ran = local.check(HARNESS, ["@kube", "show"])
    assert ran.stdout == "show\n"
    assert ran.argv == ("@kube", "show")
