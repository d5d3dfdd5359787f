"""`quorate upgrade`: a rolling kubeadm upgrade, and what clients saw of it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from quorate.harness.cli import CLUSTER, JSON, RUNS, SET, run_options, suite_file


@click.command()
@click.option(
    "--to",
    "version",
    required=True,
    metavar="VERSION",
    help="Of Kubernetes, with or without its v.",
)
@click.option(
    "--before-node",
    default="",
    metavar="COMMAND",
    help="Brings the new kubeadm and kubelet to {node}; run beside quorate, without a shell.",
)
@click.option(
    "--kubeadm-option", "options", multiple=True, metavar="WORD", help="For kubeadm; repeatable."
)
@click.option("--node", "nodes", multiple=True, help="Only these, in the cluster's order.")
@click.option("--gate-suite", default="core", show_default=True, help="What the gate asks for.")
@click.option("--max-age", default="24h", show_default=True, metavar="AGE", help="For the gate.")
@click.option("--no-gate", is_flag=True, help="Do not ask the gate first.")
@click.option("--for", "for_s", type=click.FloatRange(min=60), metavar="S",
              help="The longest that all may take, seconds; else the experiment's.")  # fmt: skip
@click.option("--experiment", type=click.Path(path_type=Path), default=Path("upgrade_rolling"),
              metavar="FILE|NAME", show_default=True,
              help="What is asked of clients, and the bounds.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Print the steps, and do nothing.")
@CLUSTER
@RUNS
@SET
@JSON
def upgrade(version: str, before_node: str, dry_run: bool, as_json: bool, **given: Any) -> None:
    """Upgrade a kubeadm cluster, one machine at a time, and judge what clients saw meanwhile.

    What is sampled, and what must hold, stands in an experiment; for bounds of your own change a
    copy (`quorate new upgrade_rolling -o mine.yaml`), or give --set. With upgrade_control_planes
    the workers are left alone.

    Control planes first, then the workers, each drained. The next machine is touched when the last
    one is back with the new version and all is well. THERE IS NO UNDO for an upgrade: told to end
    (Ctrl-C, SIGTERM), quorate lets the step under way end, begins no other, and takes its cordon
    off. The gate is asked before.

    Exit codes: 0 MET, 1 MISSED (or the gate's no), 2 usage, 3 INCONCLUSIVE, a step failed, or the
    gate has nothing that counts.

    \b
    Example:  quorate upgrade --to v1.37.2 --before-node './bring {node} {version}' --dry-run
              quorate upgrade --to v1.37.2 --before-node './bring {node} {version}'
              quorate upgrade --to v1.37.2 --experiment mine.yaml
    """
    from quorate.harness.run import onlooking, play, telling
    from quorate.harness.run import upgrade as upgrading

    terms = {name: given.pop(name) for name in ("gate_suite", "max_age", "no_gate")}
    version = f"v{version.removeprefix('v')}"  # as kubelets report it
    source = play.read_source(given.pop("experiment"))
    document = upgrading.document_of(source, version=version, at_most_s=given.pop("for_s"))
    words, nodes = tuple(given.pop("options")), tuple(given.pop("nodes"))
    options = run_options(seed=None, **given)
    cluster = onlooking.described(options)
    nodes = nodes or upgrading.nodes_of(document, cluster=cluster)
    recipe = upgrading.Recipe(version, before_node, words, nodes)
    planned = upgrading.steps(cluster, recipe)
    if dry_run:
        click.echo(upgrading.told(planned))
        return
    if not terms.pop("no_gate"):
        _ask_the_gate(options, **terms)
    work = upgrading.Upgrade(
        options.parts.connect(cluster), recipe, planned, say=options.progress.say
    )
    outcome = onlooking.look_on(document, work, name="upgrade", options=options, after=work.prove)
    click.echo(telling.one(outcome, as_json=as_json))
    sys.exit(outcome.exit_code)


def _ask_the_gate(options: Any, *, gate_suite: str, max_age: str) -> None:
    """Ends the process with the gate's exit code where that is not 0."""
    from quorate.harness.run.gate import Gate, read_age
    from quorate.harness.run.outcome import EXIT_CODES
    from quorate.harness.run.suite import read_suite
    from quorate.reports.clearance import render_clearance

    suite = read_suite(suite_file(gate_suite))
    clearance = Gate(suite, options, max_age_s=read_age(max_age)).ask()
    if code := EXIT_CODES[clearance.state]:
        click.echo(render_clearance(clearance), nl=False)
        click.echo("nothing was upgraded (--no-gate does not ask)", err=True)
        sys.exit(code)
