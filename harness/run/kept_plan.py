"""`quorate plan --save FILE`, and `quorate run --plan FILE`: that plan and no other."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from pydantic import ValidationError

from quorate import __version__
from quorate.harness.cluster.file import read_cluster
from quorate.harness.cluster.state import find_cluster
from quorate.harness.errors import RefusedError, SpecError
from quorate.harness.model.fingerprint import Fingerprint, changes
from quorate.harness.model.plan_file import PlanFile
from quorate.harness.model.strict import path_text
from quorate.harness.run import live, play
from quorate.harness.run.fingerprint import read_fingerprint
from quorate.harness.run.outcome import Outcome
from quorate.harness.run.plan import Planning, RunPlan
from quorate.harness.store.run_directory import ExperimentSource
from quorate.harness.undo.durable import replace_text

FORMAT = 1
ALLOWED = "a file that `quorate plan EXPERIMENT --save FILE` has written"


def keep(planned: RunPlan, source: ExperimentSource, *, path: Path, options: live.Options) -> None:
    """Write it (mode 0600). RefusedError where a run would be refused as it is: that is no plan."""
    if planned.refusals:
        raise RefusedError(f"{path}: not written, since a run would be refused now (see above)")
    kept = PlanFile(
        format=FORMAT,
        quorate=__version__,
        experiment=source.name,
        text=source.text,
        cluster=planned.cluster,
        seed=planned.seed,
        targets={word: list(nodes) for word, nodes in planned.targets.items()},
        undos=_undos(planned),
        fingerprint=_looked(options, seed=planned.seed)[1],
    )
    replace_text(path, kept.model_dump_json(indent=2) + "\n")


def read(path: Path) -> PlanFile:
    """SpecError for a file that is none, or of a newer format."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        found = error.strerror or str(error)
        raise SpecError(path, field="", found=found, allowed=ALLOWED) from None
    except ValueError as error:
        raise SpecError(path, field="", found=f"no JSON ({error})", allowed=ALLOWED) from None
    if isinstance(document, dict) and document.get("format", FORMAT) != FORMAT:
        found = f"format {document['format']!r}"
        raise SpecError(path, field="format", found=found, allowed=f"{FORMAT}: plan it anew")
    try:
        return PlanFile.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        field = path_text(first["loc"])
        raise SpecError(path, field=field, found=first["msg"], allowed=ALLOWED) from None


def play_kept(kept: PlanFile, *, options: live.Options) -> Outcome:
    """Play exactly that. RefusedError names what has changed since; nothing was touched then."""
    source = ExperimentSource(kept.text, kept.experiment)
    differing = _differences(kept, source, options)
    if differing:
        told = "\n  ".join(differing)
        raise RefusedError(f"the plan is not what a run would do now; plan it anew:\n  {told}")
    return play.play_source(source, options=replace(options, seed=kept.seed))


def _differences(kept: PlanFile, source: ExperimentSource, options: live.Options) -> list[str]:
    now, fingerprint = _looked(options, seed=kept.seed, source=source)
    assert now is not None
    found = [f"cluster {kept.cluster} → {now.cluster}"] if kept.cluster != now.cluster else []
    for word in sorted({*kept.targets, *now.targets}):
        before, after = kept.targets.get(word, []), list(now.targets.get(word, ()))
        if before != after:
            found.append(f"{word} {', '.join(before) or 'nobody'} → {', '.join(after) or 'nobody'}")
    if not found and kept.undos != _undos(now):
        found.append("what would be undone is another: quorate or the cluster has changed")
    found += [f"refused now: {one}" for one in now.refusals]
    return [*found, *changes(kept.fingerprint, fingerprint)]


def _looked(
    options: live.Options, *, seed: int, source: ExperimentSource | None = None
) -> tuple[RunPlan | None, Fingerprint]:
    """The plan of an experiment as it is now, where one is asked for, and the fingerprint."""
    parts = options.parts
    cluster = read_cluster(find_cluster(options.cluster)).with_node_port(seed=seed)
    parts.enter(cluster)
    drivers = parts.connect(cluster)
    try:
        planned = None
        if source is not None:
            experiment = play.read_experiment(source)
            planned = Planning(experiment, drivers=drivers, seed=seed).plan(parts.state_dir)
        return planned, read_fingerprint(drivers)
    finally:
        drivers.kube.close()


def _undos(planned: RunPlan) -> list[str]:
    return [f"{undo.node}: {undo.text}" for fault in planned.faults for undo in fault.undos]
