"""The look at the beginning of a run: may we do what it needs? Changes nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.drivers.rights import RightsDriver
from quorate.harness.errors import DriverError, Forbidden, RefusedError, SudoRefused, TransportError
from quorate.harness.model.experiment import Experiment
from quorate.harness.model.rights import needed

LOOK_S = 8.0


def demand_rights(drivers: Drivers, experiment: Experiment) -> None:
    """RefusedError, naming what is not allowed at the API, or by sudo on a node."""
    if drivers.cluster.ssh.sudo:
        demand_sudo(drivers)
    demand_api(drivers.rights, experiment)


def demand_sudo(drivers: Drivers) -> None:
    """RefusedError naming each node whose sudo does not let us. A node that cannot be reached is
    whoever asks for a whole cluster's to name."""

    def refusal(node: str) -> str:
        try:
            drivers.transport.run(node, ("true",), timeout_s=LOOK_S)
        except SudoRefused as error:
            return str(error)
        except TransportError:
            pass
        return ""

    names = [node.name for node in drivers.cluster.nodes]
    with ThreadPoolExecutor(len(names), thread_name_prefix="sudo") as pool:
        said = [one for one in pool.map(refusal, names) if one]
    if said:
        raise RefusedError("\n".join(said))


def demand_api(rights: RightsDriver, experiment: Experiment) -> None:
    """Forbidden, naming every right that is not there, whose it would be, and what grants it.

    Where nobody can tell (no API server answers, or lets us ask), a right that lacks is told when
    it is first needed.
    """
    rights_needed = needed(experiment)
    wanted = [one for right in rights_needed for one in right.accesses()]
    try:
        denied, user = rights.missing(wanted)
    except DriverError:
        return
    if denied:
        parts = [one.part for one in rights_needed if any(map(one.grants, denied))]
        raise Forbidden(*map(str, denied), user=user, granted_by=parts)
