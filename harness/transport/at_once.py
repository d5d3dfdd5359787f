"""The same question to several nodes at the same time: a cluster is as slow to ask as one node."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

N = TypeVar("N")
A = TypeVar("A")


def at_once(ask: Callable[[N], A], nodes: Sequence[N]) -> list[A]:
    """What `ask` returns for each of `nodes`, in their order; each is asked in a thread of its own.

    What it raises is raised, that of the first in order.
    """
    if not nodes:
        return []
    with ThreadPoolExecutor(len(nodes), thread_name_prefix="at-once") as pool:
        return list(pool.map(ask, nodes))


def which(ask: Callable[[N], object], nodes: Sequence[N]) -> list[N]:
    """Those of `nodes` for which the answer is true, asked `at_once`."""
    return [node for node, so in zip(nodes, at_once(ask, nodes), strict=True) if so]
