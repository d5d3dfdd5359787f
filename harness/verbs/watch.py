"""`quorate watch`: what clients see while you do something."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import click

from quorate.harness.cli import CLUSTER, JSON, RUNS, SET, run_options

URL_SCHEMES = ("http://", "https://")


@click.command(context_settings={"allow_interspersed_args": False})
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[URL]... [-- COMMAND...]")
@click.option(
    "--for",
    "for_s",
    type=click.FloatRange(min=1),
    metavar="S",
    help="Seconds. With a command: the longest that it may take.  [default: 60, or 3600]",
)
@CLUSTER
@RUNS
@SET
@JSON
def watch(words: Sequence[str], for_s: float | None, as_json: bool, **given: Any) -> None:
    """Look on, and judge what clients saw: while you do something by hand, or while a command of
    yours runs. Nothing is broken.

    Asked is what the URLs name, else the cluster's API: by the VIP over new connections and over
    one that is kept, a watch, and each API server. The command is started in the network namespace
    of the run (the lab's), and told to end by SIGTERM where it takes longer than --for, or where
    quorate itself is told to end.

    Exit codes: 0 MET, 1 MISSED (whatever the command says), 2 usage, 3 INCONCLUSIVE, or the command
    failed while clients were well.

    \b
    Example:  quorate watch -- ansible-playbook upgrade.yml
              quorate watch --for 300 https://shop.example/health
              quorate watch --set longest_outage_s:api=2 -- ./roll.sh
    """
    from quorate.harness.run import onlooking, telling

    urls, command = told_apart(words)
    options = run_options(seed=None, **given)
    at_most_s = for_s or (3600.0 if command else 60.0)
    look = (
        onlooking.at_urls(urls, at_most_s=at_most_s)
        if urls
        else onlooking.at_cluster(at_most_s=at_most_s)
    )
    work = onlooking.Command(command) if command else onlooking.Nothing()
    outcome = onlooking.look_on(look.document(), work, name=look.name, options=options)
    click.echo(telling.one(outcome, as_json=as_json))
    sys.exit(outcome.exit_code)


def told_apart(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """URLs, and the command: what follows ``--``, or begins with a word that is no URL."""
    urls: list[str] = []
    for index, word in enumerate(words):
        if not word.lower().startswith(URL_SCHEMES):
            rest = list(words[index:])
            return urls, rest[1:] if rest[0] == "--" else rest
        urls.append(word)
    return urls, []
