"""`quorate schema`: the JSON Schema of what people and pipelines write and read."""

from __future__ import annotations

import click

from quorate.harness.model.schema_names import SCHEMAS


@click.command()
@click.argument("of", type=click.Choice(SCHEMAS), metavar="|".join(SCHEMAS))
def schema(of: str) -> None:
    """Print the JSON Schema (2020-12) of what people write and pipelines read.

    Written by people: experiment, suite, cluster (cluster.yaml), acceptance (`audit --accept`).
    Read by pipelines: verdict (verdict.json), audit (`audit --json`).

    \b
    Example:  quorate schema verdict > verdict.schema.json
    """
    from quorate.harness.model.schemas import schema_text

    click.echo(schema_text(of), nl=False)
