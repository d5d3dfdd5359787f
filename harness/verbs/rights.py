"""`quorate rights`: what quorate must be allowed, as files for those who allow it."""

from __future__ import annotations

import click


@click.command()
@click.option("--probes", is_flag=True, help="RBAC of every run and its probes.")
@click.option("--pods", is_flag=True, help="RBAC of probes `from: pod:…`, besides.")
@click.option("--faults", is_flag=True, help="RBAC of drains and arrangements, besides.")
@click.option("--sudoers", metavar="USER", help="sudoers lines for an ssh user who is not root.")
def rights(sudoers: str | None, **parts: bool) -> None:
    """Print the least rights that quorate needs: RBAC manifests, and sudoers lines.

    The manifests grant a ServiceAccount kube-system/quorate; docs/rights.md says how a kubeconfig
    is made from its token. Nothing is applied.

    \b
    Example:  quorate rights --probes --faults | kubectl apply -f -
              quorate rights --sudoers quorate > /etc/sudoers.d/quorate
    """
    from quorate.harness.errors import UsageError
    from quorate.harness.model.rights import PARTS
    from quorate.harness.run.manifests import manifest
    from quorate.harness.run.sudoers import sudoers_text

    chosen = [part for part in PARTS if parts[part]]
    if not chosen and sudoers is None:
        raise UsageError("rights: say of what: --probes, --pods, --faults, --sudoers USER")
    if chosen and sudoers is not None:
        raise UsageError("rights: --sudoers is a file of its own, for nodes and not for the API")
    if sudoers is not None:
        click.echo(sudoers_text(sudoers), nl=False)
    for part in chosen:
        click.echo(manifest(part), nl=False)
