"""The verbs of `quorate`. Each is imported when it is called: `--help` must be quick."""

from __future__ import annotations

import importlib
import json
import signal
import sys
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from quorate.harness.run.live import Options
    from quorate.harness.run.outcome import Outcome

BROKEN = 3
"""Exit code of an error that is a bug of ours: the run says nothing."""

ELSEWHERE: Mapping[str, tuple[str, str]] = {
    "audit": ("quorate.harness.verbs.audit:audit", "Findings without a fault: is it HA at all?"),
    "completion": ("quorate.harness.verbs.completion:completion", "Print a completion script."),
    "discover": (
        "quorate.harness.verbs.discover:discover",
        "Write cluster.yaml from a kubeconfig and ssh.",
    ),
    "gameday": ("quorate.harness.verbs.gameday:gameday", "Play a suite, in order."),
    "gate": ("quorate.harness.verbs.gate:gate", "Yes or no, from the runs that are stored."),
    "power": ("quorate.harness.verbs.power:power", "Power switches: ipmitool, Redfish, virsh."),
    "schedule": (
        "quorate.harness.verbs.schedule:schedule",
        "Write a systemd timer, a CronJob or a cron line.",
    ),
    "upgrade": ("quorate.harness.verbs.upgrade:upgrade", "kubeadm upgrade, and what it costs."),
    "watch": ("quorate.harness.verbs.watch:watch", "What clients see while you do something."),
    "lab": ("quorate.harness.lab.cli:lab", "A real HA cluster in namespaces of this machine."),
    "report": ("quorate.harness.verbs.report:report", "Report a stored run: text, HTML, JUnit, …"),
    "rights": ("quorate.harness.verbs.rights:rights", "Print the least rights that it needs."),
    "schema": ("quorate.harness.verbs.schema:schema", "Print the JSON Schema of a file."),
}
"""Verbs that live in other modules, with the line that `--help` shows without importing them."""


class Verbs(click.Group):
    """Loads a verb of ELSEWHERE when it is used, and not before."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *ELSEWHERE])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in ELSEWHERE:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = ELSEWHERE[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [
            (name, ELSEWHERE[name][1] if name in ELSEWHERE else self._short(ctx, name))
            for name in self.list_commands(ctx)
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def _short(self, ctx: click.Context, name: str) -> str:
        command = super().get_command(ctx, name)
        return command.get_short_help_str(limit=80) if command else ""


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="quorate")
@click.option(
    "--ask-sudo-password",
    is_flag=True,
    help="Ask for what sudo on the nodes asks (ssh: {sudo: true}); else $QUORATE_SUDO_PASSWORD.",
)
def quorate(ask_sudo_password: bool) -> None:
    """Is this Kubernetes cluster really highly available? Break it, and measure.

    Exit codes: 0 MET, 1 MISSED, 2 usage or experiment file, 3 INCONCLUSIVE or refused,
    4 an undo failed and the cluster may still be faulted.

    \b
    First steps:
      quorate lab up               a real HA cluster to try it on (as root, on Linux)
      quorate plan vip_drop_holder what would be broken, and what should come of it
      quorate run vip_drop_holder  break it, measure, undo, judge
      quorate report               the newest run's report again
      quorate undo                 take back what an earlier run left on

    \b
    An experiment is a file, or the name of one that comes with quorate; `quorate new FAULT`
    writes one. Your own cluster is --cluster FILE or $QUORATE_CLUSTER; each verb has --help.
    """
    if ask_sudo_password:
        from quorate.harness.run.asking import ask_for_sudo

        ask_for_sudo()


CLUSTER = click.option(
    "--cluster",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="cluster.yaml; else $QUORATE_CLUSTER, else the running lab.",
)
RUNS = click.option(
    "--runs",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("runs"),
    envvar="QUORATE_RUNS",
    show_default=True,
    metavar="DIR",
    help="Where runs are kept.",
)
JSON = click.option("--json", "as_json", is_flag=True, help="Results as JSON on stdout.")
SET = click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="[EXPERIMENT/]BOUND=N",
    help="Another bound, like longest_outage_s:api=8 or abort_when=60; may be repeated.",
)
RUN = click.argument("run", required=False, metavar="[RUN]")


@quorate.command()
@click.argument("experiments", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--plan",
    "kept",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Play exactly what `quorate plan --save FILE` kept, or refuse.",
)
@CLUSTER
@RUNS
@click.option(
    "--repeat",
    default=1,
    show_default=True,
    type=click.IntRange(min=1),
    metavar="N",
    help="Play each so many times, its fault at a random phase of the cluster's timers.",
)
@click.option(
    "--save-baseline",
    is_flag=True,
    help="With --repeat: store what was measured, for later series to be compared with.",
)
@click.option("--seed", type=int, help="Of random choices; drawn and recorded if not given.")
@SET
@JSON
def run(
    experiments: Sequence[Path],
    kept: Path | None,
    repeat: int,
    save_baseline: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Play experiments and print their verdicts; of several runs also what they prove together.

    Bounds that suit one cluster stand in objectives.yaml beside its cluster.yaml, or in --set.

    \b
    Example:  quorate run experiments/vip_drop_holder.yaml
              quorate run experiments/vip_drop_holder.yaml --set longest_outage_s:api=8
              quorate run experiments/vip_drop_holder.yaml --repeat 20 --save-baseline
              quorate run --plan tonight.plan
    """
    from quorate.harness.run import play, regression, repetition, telling
    from quorate.reports.repetition import render_repetition

    options = run_options(**given)
    if (kept is None) == (not experiments):
        raise click.UsageError("name experiments, or --plan FILE")
    otherwise = repeat > 1 or save_baseline or options.settings or options.seed is not None
    if kept is not None and otherwise:
        raise click.UsageError(
            "--plan FILE plays what was planned, once: without --repeat, --save-baseline, --seed, "
            "--set"
        )
    if kept is not None:
        from quorate.harness.run import kept_plan

        outcome = kept_plan.play_kept(kept_plan.read(kept), options=options)
        click.echo(telling.one(outcome, as_json=as_json))
        sys.exit(outcome.exit_code)
    if save_baseline:
        regression.check_length(repeat)
    play.check(experiments, options=options)
    sources = [play.read_source(file) for file in experiments]

    def tell(outcome: Outcome) -> None:
        if not as_json:
            click.echo(telling.told(outcome))

    played, said = [], []
    for series in repetition.play_all(sources, times=repeat, options=options, tell=tell):
        played.append(series)
        if repeat > 1:
            said.append(repetition.conclude(series, runs=options.runs, save=save_baseline))
        if repeat > 1 and not as_json:
            click.echo(render_repetition(said[-1]))
    if as_json:
        click.echo(telling.as_json(played, said))
    elif repeat == 1 and len(experiments) > 1:
        click.echo(telling.counted(played))
    sys.exit(telling.exit_code_of_all(played))


@quorate.command()
@click.argument("experiment", type=click.Path(path_type=Path))
@CLUSTER
@click.option("--seed", type=int, help="Of random choices; a run with the same makes the same.")
@click.option(
    "--save",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Keep it for `quorate run --plan FILE`, which plays exactly this.",
)
@JSON
def plan(experiment: Path, save: Path | None, as_json: bool, **given: Any) -> None:
    """Show what a run would break and what should come of it: targets, what is left, predicted
    bounds, undos. Changes nothing.

    \b
    Example:  quorate plan experiments/etcd_isolate.yaml
              quorate plan vip_drop_holder --save tonight.plan
    """
    from quorate.harness.run import kept_plan, live, plan_text, play
    from quorate.harness.run.plan import plan_source

    source = play.read_source(experiment)
    planned = plan_source(source, options=live.Options(**given))
    if as_json:
        click.echo(json.dumps(plan_text.plan_to_dict(planned), indent=2, sort_keys=True))
    else:
        click.echo(plan_text.render_plan(planned), nl=False)
    if save is not None:
        kept_plan.keep(planned, source, path=save)
        click.echo(f"{save}: kept; play it with `quorate run --plan {save}`", err=True)
    sys.exit(planned.exit_code)


@quorate.command()
@click.argument("fault")
@click.option("--target", default="control-plane:any", show_default=True, help="A target word.")
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write it there (never over a file that exists); else to stdout.",
)
def new(fault: str, target: str, output: Path | None) -> None:
    """Write an experiment for a fault, valid as it is; its question and bounds are yours to set.

    For upgrade_rolling and upgrade_control_planes, which break nothing, it is a copy of these.

    \b
    Example:  quorate new node_power_off --target vip-holder -o experiments/mine.yaml
              quorate new upgrade_rolling -o mine.yaml
    """
    from quorate.harness.errors import UsageError
    from quorate.harness.run.new_experiment import new_experiment

    text = new_experiment(fault, target=target)
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        with output.open("x") as file:
            file.write(text)
    except OSError as error:
        raise UsageError(f"{output}: {error.strerror}") from error
    click.echo(f"{output}: run it with `quorate run {output}`")


@quorate.command()
@click.argument("runs", nargs=-1, type=click.Path(path_type=Path), metavar="[RUN]...")
@click.option(
    "--forget",
    is_flag=True,
    help="Strike the runs off without undoing: their cluster no longer exists.",
)
@click.option(
    "--cluster",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="cluster.yaml of this machine for the same cluster, in place of the run's copy.",
)
@JSON
def undo(runs: Sequence[Path], forget: bool, cluster: Path | None, as_json: bool) -> None:
    """Take back what earlier runs left on: those registered here, or the run directories named.

    A run directory holds neither kubeconfig nor ssh key: its cluster.yaml says where they were on
    the machine of the run. On another one, to which it was copied under the same name, give with
    --cluster a cluster.yaml of the same cluster and nodes, with that machine's own paths.

    \b
    Example:  quorate undo
              quorate undo copied/20260101T120000Z-worker_drain-1a2b --cluster cluster.yaml
    """
    from quorate.harness.run.undoing import undo_runs

    done = undo_runs(
        runs, forget=forget, cluster=cluster, say=lambda text: click.echo(text, err=True)
    )
    if as_json:
        click.echo(json.dumps({"runs": [one.to_dict() for one in done]}, indent=2, sort_keys=True))
    elif not done:
        click.echo("nothing to undo")
    sys.exit(max((one.exit_code for one in done), default=0))


@quorate.command()
@RUN
@RUNS
@JSON
def judge(run: str | None, runs: Path, as_json: bool) -> None:
    """Judge a stored run again, from its files alone; writes the same verdict.json.

    \b
    Example:  quorate judge runs/20260101T120000Z-vip_drop_holder-1a2b
    """
    from quorate.harness.judge import judge as judged
    from quorate.harness.run.outcome import EXIT_CODES
    from quorate.harness.run.record import open_run
    from quorate.harness.run.reporting import render, write_report

    directory = open_run(run, runs=runs)
    verdict = judged(directory.experiment(), directory.timeline())
    directory.write_verdict(verdict)
    write_report(directory, verdict)
    click.echo(verdict.to_json() if as_json else render(verdict), nl=False)
    sys.exit(EXIT_CODES[verdict.verdict])


def run_options(
    *, cluster: Path | None, runs: Path, seed: int | None, settings: Sequence[str]
) -> Options:
    from quorate.harness.run.live import Options
    from quorate.harness.run.progress import TextProgress
    from quorate.harness.store.bounds_file import read_setting

    bounds = tuple(map(read_setting, settings))
    return Options(cluster=cluster, runs=runs, seed=seed, settings=bounds, progress=TextProgress())


def suite_file(suite: str) -> Path:
    """A file is meant by its path, a suite by its name; UsageError names those that there are."""
    from quorate.harness.errors import UsageError
    from quorate.harness.run import shipped

    if Path(suite).is_file():
        return Path(suite)
    folders = [place / "suites" for place in (Path("experiments"), shipped.folder())]
    known = {file.stem: file for folder in folders[::-1] for file in folder.glob("*.yaml")}
    if suite not in known:
        told = ", ".join(sorted(known))
        raise UsageError(f"no suite {suite!r}: name a file, or one of {told}")
    return known[suite]


def main(arguments: Sequence[str] | None = None) -> None:
    """The command; every way out has the exit code that design.md gives it."""
    from quorate.harness.errors import QuorateError
    from quorate.harness.run.signals import Ending

    # A shell starts what it puts into the background with SIGINT ignored; who sends it means it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        quorate.main(arguments, prog_name="quorate", standalone_mode=False)
        code = 0
    except click.exceptions.Exit as asked:
        code = asked.exit_code
    except click.ClickException as error:
        error.show()
        code = 2
    except (click.Abort, KeyboardInterrupt, Ending):
        click.echo("quorate: interrupted", err=True)
        code = BROKEN
    except QuorateError as error:
        click.echo(f"quorate: {error}", err=True)
        code = error.exit_code
    except Exception:
        traceback.print_exc()
        click.echo("quorate: this is a bug; the lines above say where", err=True)
        code = BROKEN
    sys.exit(code)
