"""What verbs that render something have in common: in which form, and where to."""

from __future__ import annotations

from pathlib import Path

import click

OUTPUT = click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write it there, over what is there; else to stdout.",
)


def form_of(form: str, *, as_json: bool) -> str:
    """--json is a form; UsageError where another one is asked for as well."""
    if as_json and form not in ("text", "json"):
        raise click.UsageError(f"--json and --format {form} ask for two different things")
    return "json" if as_json else form


def put_out(text: str, output: Path | None) -> None:
    """To stdout, or to the file that the user named; UsageError where that cannot be written."""
    from quorate.harness.errors import UsageError

    if output is None:
        click.echo(text, nl=False)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{output}: cannot be written: {error.strerror or error}") from error
    click.echo(f"{output}: written")
