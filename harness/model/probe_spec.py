"""One probe as an experiment declares it: what is asked, by which way, from where, how often."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from quorate.harness.model.strict import Number, Strict
from quorate.harness.model.timeline import BESIDE_HARNESS
from quorate.harness.model.url import parse_url

PATH = re.compile(
    r"vip|kubernetes|cluster-ip|(pod|dns)(:[1-9][0-9]?)?"
    r"|(haproxy|nginx|apiserver|service)(:[a-z0-9]([a-z0-9.-]*[a-z0-9])?)?"
)
VANTAGE = re.compile(r"harness|(node|pod):[a-z0-9]([a-z0-9.-]*[a-z0-9])?")


def _path_word(value: str) -> str:
    if not PATH.fullmatch(value):
        raise ValueError(
            "vip, haproxy:<node>, nginx:<node>, apiserver:<node>, service:<node> (or no :<node>), "
            "apiserver:each, kubernetes, cluster-ip, pod:<number>, dns, dns:<number>"
        )
    return value


def _url(value: str) -> str:
    parse_url(value)
    return value


def _as_tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def _vantage_word(value: str) -> str:
    if not VANTAGE.fullmatch(value):
        words = "<node>, first-worker, surviving-worker, surviving-control-plane"
        raise ValueError(f"{BESIDE_HARNESS}, node:<node>, pod:<node>; <node>: {words}")
    return value


Status = Annotated[int, Field(ge=100, le=599)]


class ProbeSpec(Strict):
    """One stream of samples: what is asked (a word of the probe catalogue), by which way, how.

    Either by a ``path``, or a ``url`` of the user's own; its answer has one of the codes in
    ``status`` (empty: 200), and its body ``contains`` a text. ``vantage`` (``from``): where it is
    asked, beside the harness, on a node, or in a pod there.
    """

    probe: str
    path: Annotated[str, AfterValidator(_path_word)] = ""
    url: Annotated[str, AfterValidator(_url)] | None = None
    status: Annotated[tuple[Status, ...], BeforeValidator(_as_tuple)] = ()
    contains: str = ""
    vantage: Annotated[str, AfterValidator(_vantage_word)] = Field(
        default=BESIDE_HARNESS, alias="from"
    )
    connection: Literal["new", "reused"]
    rate_hz: Annotated[Number, Field(gt=0, le=200)]

    @model_validator(mode="after")
    def _asks_one_way(self) -> Self:
        if bool(self.path) == bool(self.url):
            raise ValueError("a path, or a url in its place")
        if not self.url and (self.status or self.contains):
            raise ValueError("status and contains only beside a url")
        return self

    @property
    def period_s(self) -> float:
        """Time between two samples, seconds."""
        return 1.0 / self.rate_hz
