"""`quorate plan --save FILE`, and `quorate run --plan FILE`: that plan and no other."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from pydantic import ValidationError

from quorate import __version__
from quorate.harness.errors import RefusedError, SpecError
from quorate.harness.model.plan_file import PlanFile, differences
from quorate.harness.model.strict import path_text
from quorate.harness.run import live, play
from quorate.harness.run.outcome import Outcome
from quorate.harness.run.plan import RunPlan, plan_source
from quorate.harness.store.run_directory import ExperimentSource
from quorate.harness.undo.durable import replace_text

FORMAT = 1
ALLOWED = "a file that `quorate plan EXPERIMENT --save FILE` has written"


def keep(planned: RunPlan, source: ExperimentSource, *, path: Path) -> None:
    """Write it (mode 0600). StoreError where that fails; RefusedError where a run would be refused
    as it is, or where nobody could tell later whether the cluster has changed: that is no plan."""
    if planned.refusals:
        raise RefusedError(f"{path}: not written, since a run would be refused now (see above)")
    if lacking := planned.fingerprint.missing:
        told = "\n  ".join(lacking)
        raise RefusedError(
            f"{path}: not written, since a change of what cannot be read would not be seen:\n"
            f"  {told}"
        )
    replace_text(path, _file_of(planned, source).sealed.model_dump_json(indent=2) + "\n")


def read(path: Path) -> PlanFile:
    """SpecError for a file that is none, was edited, or is of a newer format."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        found = error.strerror or str(error)
        raise SpecError(path, field="", found=found, allowed=ALLOWED) from None
    except (ValueError, RecursionError) as error:
        raise SpecError(path, field="", found=f"no JSON ({error})", allowed=ALLOWED) from None
    if isinstance(document, dict) and document.get("format", FORMAT) != FORMAT:
        found = f"format {document['format']!r}"
        raise SpecError(path, field="format", found=found, allowed=f"{FORMAT}: plan it anew")
    try:
        kept = PlanFile.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        field = path_text(first["loc"])
        raise SpecError(path, field=field, found=first["msg"], allowed=ALLOWED) from None
    if kept != kept.sealed:
        found = "a file that was edited since it was written"
        allowed = f"{ALLOWED}, as it is: change the experiment, and plan it anew"
        raise SpecError(path, field="digest", found=found, allowed=allowed)
    return kept


def play_kept(kept: PlanFile, *, options: live.Options) -> Outcome:
    """Play exactly that. RefusedError names what has changed since; nothing was touched then.

    Until the first fault is put on, the run itself refuses targets that are not the plan's.
    """
    source = ExperimentSource(kept.text, kept.experiment)
    options = replace(options, seed=kept.seed)
    now = plan_source(source, options=options)
    differing = [
        *differences(kept, _file_of(now, source)),
        *(f"refused now: {one}" for one in now.refusals),
    ]
    if differing:
        told = "\n  ".join(differing)
        raise RefusedError(f"this is not what was planned any more; plan it anew:\n  {told}")
    planned = {word: tuple(nodes) for word, nodes in kept.targets.items()}
    return play.play_source(source, options=replace(options, planned=planned))


def _file_of(planned: RunPlan, source: ExperimentSource) -> PlanFile:
    return PlanFile(
        format=FORMAT,
        quorate=__version__,
        experiment=Path(source.file).name,
        text=source.text,
        bounds=planned.bounds,
        cluster=planned.cluster,
        seed=planned.seed,
        targets={word: list(nodes) for word, nodes in planned.targets.items()},
        undos=[f"{undo.node}: {undo.text}" for one in planned.faults for undo in one.ways.undos],
        fingerprint=planned.fingerprint,
    )
