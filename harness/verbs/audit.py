"""`quorate audit`: findings without a fault."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from quorate.harness.cli import CLUSTER, JSON
from quorate.harness.verbs.output import OUTPUT, form_of, put_out

FORMATS = ("text", "json", "junit", "sarif")


@click.command()
@CLUSTER
@JSON
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="text",
    show_default=True,
    help="sarif (2.1.0) and junit: for CI.",
)
@click.option(
    "--accept",
    "lists",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Findings that are explained; they do not count. May be repeated.",
)
@click.option(
    "--certificate-days",
    default=30.0,
    show_default=True,
    type=click.FloatRange(min=0),
    metavar="DAYS",
    help="For how long certificates must be valid.",
)
@click.option(
    "--backup",
    "places",
    multiple=True,
    metavar="PATTERN",
    help="Where snapshots lie on the etcd nodes, like '/backup/etcd/*.db'; may be repeated.",
)
@click.option(
    "--backup-max-age",
    default="24h",
    show_default=True,
    metavar="AGE",
    help="Of the newest snapshot: a number and s, m, h or d.",
)
@OUTPUT
def audit(
    cluster: Path | None,
    as_json: bool,
    form: str,
    lists: Sequence[Path],
    certificate_days: float,
    places: Sequence[str],
    backup_max_age: str,
    output: Path | None,
) -> None:
    """Is it highly available at all? Findings from configuration and objects, each with what it
    costs in seconds where a formula tells, and the way out. Only reads; nothing is changed.

    Exit codes: 0 nothing blocks, 1 a finding blocks, 2 usage or the list of explained findings,
    3 nothing blocks as far as could be told, but something could not be read.

    \b
    Example:  quorate audit
              quorate audit --accept audit-accepted.yaml --format sarif -o audit.sarif
    """
    from quorate.harness.audit.facts import Terms
    from quorate.harness.run.auditing import BACKUPS, FORMS, audit_cluster, read_explained
    from quorate.harness.run.gate import read_age

    asked = form_of(form, as_json=as_json)
    terms = Terms(certificate_days, read_age(backup_max_age), tuple(places) or BACKUPS)
    explained = read_explained(lists)
    found = audit_cluster(cluster, terms=terms, explained=explained)
    put_out(FORMS[asked](found), output)
    for one in found.unmatched:
        click.echo(f"accepted, and not found: {one.id} of {one.of} ({one.reason})", err=True)
    sys.exit(found.exit_code)
