"""The sampler of a run: plans from the experiment's probes, the process, the live view of it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from functools import partial

from quorate.harness.drivers.kubeconfig import KubeCredentials
from quorate.harness.judge.intervals import Counts
from quorate.harness.model.experiment import BASELINE_SAMPLES
from quorate.harness.model.probe_plan import ClientCredentials, ProbePlan
from quorate.harness.run.durations import worst_case_s
from quorate.harness.run.ledger import Ledger
from quorate.harness.run.request import Request
from quorate.harness.run.urls import url_plans
from quorate.harness.run.vantages import Reach, Vantages
from quorate.harness.sampling.live import LiveView
from quorate.harness.sampling.sampler import Sampler
from quorate.harness.store.run_directory import RunDirectory
from quorate.probes.catalogue import is_inside, plan_probe


def plans(
    request: Request, *, credentials: KubeCredentials, ledger: Ledger
) -> dict[str, ProbePlan]:
    """What the sampler is to ask by a path, by the names that the experiment gives its probes, and
    the ledger's own."""
    client = ClientCredentials(
        ca_pem=credentials.ca.decode("ascii"),
        certificate_pem=credentials.certificate.decode("ascii"),
        key_pem=credentials.key.decode("ascii"),
        token=credentials.token,
    )
    experiment = request.experiment
    asked = {
        name: plan_probe(
            spec,
            cluster=request.cluster,
            credentials=client,
            hard_timeout_s=experiment.hard_timeout_s(name),
            registers=ledger.registers_for(name),
        )
        for name, spec in experiment.probes.items()
        if spec.path
    }
    return asked | ledger.plans(client)


class Sampling:
    """Started once, before the baseline; stopped when the run closes."""

    def __init__(
        self,
        directory: RunDirectory,
        *,
        request: Request,
        credentials: KubeCredentials,
        ledger: Ledger,
        reach: Reach,
    ) -> None:
        experiment = request.experiment
        self._directory = directory
        self._probes = {name: experiment.deadlines_s(name)[0] for name in experiment.probes}
        asked = plans(request, credentials=credentials, ledger=ledger)
        self._plans = asked | url_plans(directory, request)
        self._vantages = Vantages(
            directory, experiment=experiment, cluster=request.cluster, reach=reach
        )
        away = {name for word in experiment.vantages for name in self._vantages.probes(word)}
        self._sampler = Sampler(
            directory, {name: plan for name, plan in self._plans.items() if name not in away}
        )
        self._paths = {name: spec.path for name, spec in experiment.probes.items()}
        self._places = reach.places
        self._lasts_s = worst_case_s(experiment)
        self._started = False
        self.view = LiveView(
            directory,
            rates_hz={name: spec.rate_hz for name, spec in experiment.probes.items()},
            heard={name: partial(self._vantages.heard, name) for name in away},
        )

    def resolve(self, targeted: Collection[str]) -> None:
        """Find the nodes that probes are asked from, and look whether a sampler can run there;
        RefusedError. ``targeted``: the nodes that faults are to hit."""
        self._vantages.resolve(self._plans, targeted=targeted)

    def demand_not_hit(self, nodes: Collection[str]) -> None:
        """RefusedError where a fault is to hit a node that is to look on as a surviving one."""
        self._vantages.demand_not_hit(nodes)

    def start(self) -> None:
        """Returns when each probe has sent its first tick; ProbeError otherwise, RefusedError
        where a path leads to nothing that is there."""
        self._place()
        self._sampler.start()
        self._started = True
        self._vantages.start(lasts_s=self._lasts_s)

    def lost(self, probe: str) -> str:
        """Why no sample of a probe will come any more (its node was restarted); else empty."""
        return self._vantages.lost(probe)

    def _place(self) -> None:
        """Find out where the paths lead that the cluster decides on."""
        inside = {name: path for name, path in self._paths.items() if is_inside(path)}
        if not inside:
            return
        found = self._places(inside.values())
        placed = {}
        for name, path in inside.items():
            host, port = found[path]
            self._directory.append_event(
                "path_resolved", probe=name, path=path, address=host, port=port
            )
            placed[name] = replace(self._plans[name], host=host, port=port)
        self._vantages.place(placed)

    def alive(self) -> bool:
        return self._sampler.alive()

    def counts(self, *, since: float) -> Counts:
        """Samples known so far that were due since then (seconds since the base), of all probes."""
        each = (
            self.view.counts(name, deadline_s=deadline_s, since=since)
            for name, deadline_s in self._probes.items()
        )
        return sum(each, Counts())

    def has_enough(self, *, since: float) -> bool:
        """Whether there are samples enough for a baseline that began then."""
        seen = self.counts(since=since)
        return seen.good + seen.bad >= BASELINE_SAMPLES

    def stop(self) -> bool:
        """End it, and wait for what is under way; whether it had been started.

        To be called before arrangements are undone: that the service under watch is removed is no
        outage, and connections half made to its last pods would stay in the nodes' NAT (conntrack
        SYN_SENT, 120 s), where the next run's would run into them (seen on the lab).
        """
        if self._started:
            self._sampler.stop()
            if told := self._vantages.stop():
                self._directory.amend_json("sampler.json", vantages=told)
        return self._started
