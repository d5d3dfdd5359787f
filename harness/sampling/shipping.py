"""The sampler's program as one zip, and the few lines that run it where nothing is installed."""

from __future__ import annotations

import functools
import io
import zipfile
from pathlib import Path

PROGRAM = Path(__file__).resolve().parent / "program"

LENGTH_DIGITS = 8

BOOTSTRAP = f"""
import os, sys
def take(size):
    data = b""
    while len(data) < size:
        part = os.read(0, size - len(data))
        if not part:
            sys.exit("the program did not come whole")
        data += part
    return data
memory = os.memfd_create("quorate-sampler")
with open(memory, "wb", closefd=False) as file:
    file.write(take(int(take({LENGTH_DIGITS}))))
sys.path.insert(0, "/proc/self/fd/%d" % memory)
import importlib
sys.exit(importlib.import_module("program." + sys.argv[1]).main())
"""
"""Reads the length and the zip from stdin, unbuffered: what follows is the program's own to read.
(``python3 -`` would read ahead.) The zip lies in memory only."""


BOOT_ZIP = (
    "import sys; sys.path.insert(0, sys.argv[1]); from program.pod import main; sys.exit(main())"
)
"""The same where the zip is a file."""


def program_argv(module: str, *arguments: str) -> tuple[str, ...]:
    """The command that runs a module of the program; `packed` goes to its stdin first."""
    return ("python3", "-I", "-S", "-B", "-c", BOOTSTRAP, module, *arguments)


@functools.cache
def packed() -> bytes:
    """The program with its length before it; the same bytes each time."""
    data = archive()
    return str(len(data)).zfill(LENGTH_DIGITS).encode() + data


@functools.cache
def archive() -> bytes:
    """The program as a zip; the same bytes each time."""
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as file:
        for module in sorted(PROGRAM.glob("*.py")):
            member = zipfile.ZipInfo(f"program/{module.name}")
            member.compress_type = zipfile.ZIP_DEFLATED
            file.writestr(member, module.read_bytes())
    return memory.getvalue()
