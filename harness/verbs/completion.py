"""`quorate completion`: what a shell needs to complete quorate's words; click's own scripts."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

VARIABLE = "_QUORATE_COMPLETE"
"""By which the script asks `quorate` itself, at each Tab; click makes it of the program's name."""


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print a script that lets SHELL complete quorate's verbs, options and files.

    \b
    Example:  quorate completion bash > ~/.local/share/bash-completion/completions/quorate
              quorate completion zsh > ~/.zfunc/_quorate            # with ~/.zfunc in fpath
              quorate completion fish > ~/.config/fish/completions/quorate.fish
    """
    made = get_completion_class(shell)
    assert made is not None  # these three are click's own
    script = made(click.Command("quorate"), {}, "quorate", VARIABLE)
    # Its own `source` would start bash, to look at the version of the one that is found first here.
    click.echo(script.source_template % script.source_vars())
