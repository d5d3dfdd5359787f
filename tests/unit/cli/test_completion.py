"""What a shell is told when somebody presses Tab."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from quorate.harness.verbs import completion

QUORATE = (sys.executable, "-m", "quorate")


def said(*arguments: str, **environment: str) -> str:
    done = subprocess.run(
        [*QUORATE, *arguments],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def offered(words: str) -> set[str]:
    """What bash is offered after these words; the last one is being written."""
    count = len(words.split(" ")) - 1
    told = said(_QUORATE_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD=str(count))
    return {line.partition(",")[2] for line in told.splitlines()}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_a_script_that_asks_quorate(shell: str) -> None:
    script = said("completion", shell)
    assert f"{completion.VARIABLE}={shell}_complete" in script
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=script, text=True, check=True)


def test_verbs_and_options_are_offered() -> None:
    assert offered("quorate ") >= {"completion", "gameday", "lab", "run", "undo"}
    assert offered("quorate un") == {"undo"}
    assert offered("quorate lab u") == {"up"}
    assert "--repeat" in offered("quorate run --re")


def test_another_shell_is_refused() -> None:
    done = subprocess.run([*QUORATE, "completion", "tcsh"], capture_output=True, check=False)
    assert done.returncode == 2
