"""The limits that this project writes by, as functions from sources to complaints.

Each complaint is one line, `path:line: what`, as an editor can follow it. Sources: design.md, part
"Limits to write by", and the rule that no machine's paths and no registry's host are committed.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch

FUNCTION_LINES = 70
MODULE_LINES = 400
PARAMETERS = 5
FORBIDDEN_WORDS = frozenset(
    {"chaos", "monkey", "manager", "managers", "helper", "helpers", "util", "utils"}
)

# Where `except Exception` may stand, and why: path pattern and function.
BROAD_CATCHES = frozenset(
    {
        (
            "harness/sampling/program*.py",
            "*",
        ),  # the sampler's loop: → UNKNOWN, never a lost sampler
        ("harness/undo/settle.py", "settle"),  # settling never stops half-way
        ("harness/cli.py", "main"),  # outermost frame
        ("harness/control.py", "*"),  # outermost frame under `chaos`
        ("src/quorate/control.py", "*"),
    }
)

# Written in pieces so that this file does not hold what it forbids.
_REGISTRIES = [
    ("pypi", "org"),
    ("pythonhosted", "org"),
    ("proxy", "golang", "org"),
    ("sum", "golang", "org"),
    ("registry", "npmjs", "org"),
    ("crates", "io"),
    ("deb", "debian", "org"),
    ("security", "debian", "org"),
    ("snapshot", "debian", "org"),
    ("repo1", "maven", "org"),
    ("repo", "maven", "apache", "org"),
    ("registry-1", "docker", "io"),
]
_PLACES = [
    ("", "work", ""),
    ("", "root", r"\.(?!ssh|kube)"),
    ("", "home", r"\w"),
    ("", "Users", r"\w"),
    ("", "opt", "wheels"),
    ("", "tmp", r"w\b"),
]
FOREIGN = re.compile(
    "|".join(
        [r"\b" + r"\.".join(map(re.escape, parts)) + r"\b" for parts in _REGISTRIES]
        + [r"(?<![\w.\-/}$])" + "/".join(parts) for parts in _PLACES]
    )
)


@dataclass(frozen=True)
class Source:
    """One tracked file: its path from the top of the tree, and its text."""

    path: str
    text: str


def lengths(source: Source) -> dict[str, int]:
    """Lines of every function, decorators left out; keys are `name:line`."""
    return {
        f"{node.name}:{node.lineno}": (node.end_lineno or node.lineno) - node.lineno + 1
        for node in ast.walk(ast.parse(source.text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def complaints(source: Source) -> list[str]:
    """Everything that is wrong with one Python source, in order of line."""
    tree = ast.parse(source.text)
    found: list[tuple[int, str]] = []
    if (count := source.text.count("\n")) > MODULE_LINES:
        found.append((1, f"module has {count} lines, at most {MODULE_LINES}"))
    found += _functions(tree)
    found += _names(tree)
    found += _catches(tree, source.path)
    stem = source.path.rsplit("/", 1)[-1].removesuffix(".py")
    if bad := words_of(stem) & FORBIDDEN_WORDS:
        found.append((1, f"module is named {stem}: no {', '.join(sorted(bad))}"))
    return [f"{source.path}:{line}: {what}" for line, what in sorted(found)]


def foreign(source: Source) -> list[str]:
    """Paths of one machine and registries' host names in any text file."""
    return [
        f"{source.path}:{number}: {match.group()} belongs to one machine or one registry"
        for number, line in enumerate(source.text.splitlines(), start=1)
        for match in FOREIGN.finditer(line)
    ]


def words_of(name: str) -> set[str]:
    """`HTTPServerManager_x` → http, server, manager, x.

    kube-controller-manager is one word: the name of a program that is not ours to choose.
    """
    parts = re.findall(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+", name)
    text = "_".join(part.lower() for part in parts)
    return set(text.replace("controller_manager", "controllermanager").split("_"))


def _functions(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        count = (node.end_lineno or node.lineno) - node.lineno + 1
        if count > FUNCTION_LINES:
            yield node.lineno, f"{node.name} has {count} lines, at most {FUNCTION_LINES}"
        names = [
            arg.arg for arg in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
        ]
        taken = [name for name in names if name not in ("self", "cls")]
        if len(taken) > PARAMETERS and not _is_filled_in(node):
            yield node.lineno, f"{node.name} has {len(taken)} parameters, at most {PARAMETERS}"


def _is_filled_in(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Options of a command line and fixtures of a test arrive as parameters, however many."""
    command = any("click." in ast.unparse(decorator) for decorator in node.decorator_list)
    return command or node.name.startswith("test_")


def _names(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        name: str | None
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                name = node.name
            case ast.arg():
                name = node.arg
            case ast.Name(ctx=ast.Store()):
                name = node.id
            case ast.Attribute(ctx=ast.Store()):
                name = node.attr
            case ast.alias(asname=str()):
                name = node.asname
            case _:
                continue
        if bad := words_of(name or "") & FORBIDDEN_WORDS:
            yield getattr(node, "lineno", 1), f"name {name}: no {', '.join(sorted(bad))}"


def _catches(tree: ast.Module, path: str) -> Iterator[tuple[int, str]]:
    for function, handler in _handlers(tree, ""):
        named = ast.unparse(handler.type) if handler.type else "everything"
        broad = {"Exception", "BaseException", "everything"} & set(re.findall(r"\w+", named))
        if not broad or ("BaseException" in broad and _raises_again(handler)):
            continue
        if not any(fnmatch(path, where) and fnmatch(function, who) for where, who in BROAD_CATCHES):
            yield handler.lineno, f"except {named} in {function or 'the module'}: name the errors"


def _handlers(node: ast.AST, function: str) -> Iterator[tuple[str, ast.ExceptHandler]]:
    for child in ast.iter_child_nodes(node):
        inside = (
            child.name if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) else function
        )
        if isinstance(child, ast.ExceptHandler):
            yield function, child
        yield from _handlers(child, inside)


def _raises_again(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None
