"""keepalived.conf as text → facts. Reads what the formulas need and passes over the rest."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from quorate.harness.errors import DriverError
from quorate.harness.predict.facts import KeepalivedFacts, VrrpInstance, VrrpScript

_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"|([{}])|([^\s"{}]+)')


@dataclass
class _Block:
    """A line's words, and what stood in braces behind it."""

    words: list[str]
    line: int
    inner: list[_Block] = field(default_factory=list)

    def value(self, name: str, default: str = "") -> str:
        found = [item for item in self.inner if item.words[:1] == [name]]
        return " ".join(found[-1].words[1:]) if found else default

    def has(self, name: str) -> bool:
        return any(item.words[:1] == [name] for item in self.inner)

    def rows(self, name: str) -> tuple[list[str], ...]:
        return tuple(
            row.words for item in self.inner if item.words[:1] == [name] for row in item.inner
        )

    def number(self, name: str, default: float) -> float:
        text = self.value(name)
        if not text:
            return default
        try:
            return float(text.split()[0])
        except ValueError:
            raise DriverError(
                f"keepalived.conf:{self.line}: {name} {text!r} is no number"
            ) from None


def parse_keepalived(text: str) -> KeepalivedFacts:
    """Facts of one keepalived.conf; ``include`` is not followed.

    Raises:
        DriverError: braces do not match, or a number is none; names the line.
    """
    root = _blocks(text)
    defaults = next((item for item in root.inner if item.words[:1] == ["global_defs"]), None)
    return KeepalivedFacts(
        instances=tuple(
            _instance(item, defaults=defaults or _Block([], 0))
            for item in root.inner
            if item.words[:1] == ["vrrp_instance"]
        ),
        scripts={script.name: script for script in map(_script, root.inner) if script is not None},
    )


def _blocks(text: str) -> _Block:
    root = _Block(words=[], line=1)
    stack = [root]
    for number, line in enumerate(text.splitlines(), start=1):
        words: list[str] = []
        for quoted, brace, word in _TOKEN.findall(_without_comment(line)):
            if brace == "{":
                # The brace may stand on a line of its own, behind the words that it belongs to.
                if words or not stack[-1].inner:
                    stack[-1].inner.append(_Block(words, number))
                stack.append(stack[-1].inner[-1])
                words = []
            elif brace == "}":
                if words:
                    stack[-1].inner.append(_Block(words, number))
                    words = []
                stack.pop()
                if not stack:
                    raise DriverError(f"keepalived.conf:{number}: one '}}' too many")
            else:
                words.append(quoted or word)
        if words:
            stack[-1].inner.append(_Block(words, number))
    if len(stack) > 1:
        raise DriverError(f"keepalived.conf:{stack[-1].line}: the '{{' is never closed")
    return root


def _without_comment(line: str) -> str:
    """Up to the first ``#`` or ``!`` outside quotes."""
    quoted = False
    for position, character in enumerate(line):
        if character == '"':
            quoted = not quoted
        elif character in "#!" and not quoted:
            return line[:position]
    return line


def _instance(block: _Block, *, defaults: _Block) -> VrrpInstance:
    return VrrpInstance(
        name=" ".join(block.words[1:]),
        interface=block.value("interface"),
        state=block.value("state", "BACKUP"),
        nopreempt=block.has("nopreempt"),
        virtual_router_id=int(block.number("virtual_router_id", 0)),
        priority=int(block.number("priority", 100)),
        advert_int_s=block.number("advert_int", 1.0),
        down_timer_adverts=int(
            block.number("down_timer_adverts", defaults.number("vrrp_down_timer_adverts", 3))
        ),
        version=int(block.number("version", defaults.number("vrrp_version", 2))),
        unicast_peers=tuple(words[0] for words in block.rows("unicast_peer")),
        virtual_addresses=tuple(words[0] for words in block.rows("virtual_ipaddress")),
        track_scripts=tuple(words[0] for words in block.rows("track_script")),
    )


def _script(block: _Block) -> VrrpScript | None:
    if block.words[:1] != ["vrrp_script"]:
        return None
    return VrrpScript(
        name=" ".join(block.words[1:]),
        interval_s=block.number("interval", 1.0),
        timeout_s=block.number("timeout", 0.0) or None,
        rise=int(block.number("rise", 1)),
        fall=int(block.number("fall", 1)),
        weight=int(block.number("weight", 0)),
        script=block.value("script"),
    )
