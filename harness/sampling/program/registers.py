"""Probes of registers: objects of an API server that the writer changes by compare and swap.

What a sample line says beside the rest is the ledger; every string is as the API server has it::

    "r": [register, value, version]              a state that was read
    "w": [register, value, expected, version]    a write that was tried on the version ``expected``,
                                                 and the version that it was acknowledged with;
                                                 null: it was not, so it may have happened or not
"""

from __future__ import annotations

import json
from typing import Any

from .answer import Answer
from .link import Broken, Link
from .probe import Probe, ReusedProbe, Shot


def state_in(answer: Answer) -> tuple[str, str] | None:
    """(value, resourceVersion) of the register in an answer; None where there is none."""
    try:
        said = json.loads(answer.body)
        value, version = said["data"]["value"], said["metadata"]["resourceVersion"]
    except (ValueError, KeyError, TypeError):
        return None
    return (value, version) if isinstance(value, str) and isinstance(version, str) else None


class RegisterReader(ReusedProbe):
    """Reads registers in turn, over one connection: tick k that of number k modulo their count.

    ``plan`` names them in ``registers``, in the order of ``requests``.
    """

    def _judge(self, shot: Shot, answer: Answer, *, link: Link) -> None:
        names = self._plan["registers"]
        state = state_in(answer)
        if state is None and answer.status in self._plan["status"]:
            self._end(shot, outcome="FAILED", detail="body", link=link)
            return
        if state is not None:
            shot.noted["r"] = [names[shot.k % len(names)], *state]
        super()._judge(shot, answer, link=link)


class _Register:
    """One register as its writer knows it. ``version`` is "" where it must be read anew.

    ``shot``: the tick whose write is under way; ``tried``: its value, "" before the write is sent.
    """

    def __init__(self, name: str, read: bytes, *, write: dict[str, Any]) -> None:
        self.name = name
        self.read = read
        self.version = ""
        self.tried = ""
        self.shot: Shot | None = None
        self.link: Link | None = None
        self._head = str(write["head"])
        self._object = write["object"]
        self._values = str(write["values"])

    def write(self, k: int) -> bytes:
        """The request that writes the value of tick ``k`` on the version known."""
        self.tried = f"{self._values}{k}"
        meta = dict(self._object["metadata"], resourceVersion=self.version)
        given = dict(self._object, metadata=meta, data={"value": self.tried})
        body = json.dumps(given, separators=(",", ":")).encode()
        return f"{self._head}Content-Length: {len(body)}\r\n\r\n".encode("ascii") + body


class RegisterWriter(Probe):
    """Writes registers in turn, a value of its own at each tick, over a connection of each.

    A tick reads first where the version is not known: at the start, after a refusal, and where
    nobody told what became of the write before. At most one write of a register is under way; a
    tick that finds the one before it so is FAILED: its plan has so many registers that a write
    which is still under way when its register's turn comes again has missed every deadline.

    ``plan`` names the registers in ``registers``, in the order of ``requests`` (which read them)
    and of ``writes``: ``head`` (of the request, without its length), ``object``, ``values``.
    """

    def __init__(self, plan: dict[str, Any], **rest: Any) -> None:
        super().__init__(plan, **rest)
        self._registers = [
            _Register(name, self._requests[number], write=plan["writes"][number])
            for number, name in enumerate(plan["registers"])
        ]

    def _of(self, shot: Shot) -> _Register:
        return self._registers[shot.k % len(self._registers)]

    def _fire(self, shot: Shot) -> None:
        register = self._of(shot)
        if register.shot is not None:
            self._end(shot, outcome="FAILED", detail="the write before it is under way")
            return
        register.shot, register.tried = shot, ""
        if register.version:
            self._write_on(register, shot)
        else:
            self._send(register, register.read)

    def _write_on(self, register: _Register, shot: Shot) -> None:
        request = register.write(shot.k)
        shot.noted["w"] = [register.name, register.tried, register.version, None]
        self._send(register, request)

    def _send(self, register: _Register, request: bytes) -> None:
        if register.link is not None:
            register.link.send(request)
            return
        link = Link(
            self._loop,
            self._target,
            on_answer=lambda link, answer: self._answered(register, answer),
            on_broken=lambda link, why: self._broken(register, why),
        )
        register.link = link
        link.send(request)
        link.open()

    def _answered(self, register: _Register, answer: Answer) -> None:
        link, shot = register.link, register.shot
        if link is not None and (answer.last or shot is None or self._plan["connection"] == "new"):
            link.close()
            register.link = None
        if shot is None:  # an answer that nobody asked for
            return
        state = state_in(answer)
        if answer.status not in self._plan["status"]:
            self._over(register, outcome="FAILED", detail=f"status {answer.status}", link=link)
        elif state is None or (register.tried and state[0] != register.tried):
            self._over(register, outcome="FAILED", detail="body", link=link)
        elif register.tried:
            shot.noted["w"][-1] = state[1]
            self._over(register, outcome="OK", link=link, version=state[1])
        else:
            shot.noted["r"] = [register.name, *state]
            register.version = state[1]
            self._write_on(register, shot)

    def _broken(self, register: _Register, why: Broken) -> None:
        link, register.link = register.link, None
        if register.shot is not None:
            outcome = "UNKNOWN" if why.ours else "FAILED"
            self._over(register, outcome=outcome, detail=why.reason, link=link)

    def _expire(self, shot: Shot) -> None:
        register = self._of(shot)
        link, register.link = register.link, None
        if link is not None:
            link.close()
        self._over(register, outcome="FAILED", detail="timeout", link=link)

    def _over(
        self,
        register: _Register,
        *,
        outcome: str,
        detail: str = "",
        link: Link | None,
        version: str = "",
    ) -> None:
        shot, register.shot, register.version = register.shot, None, version
        if shot is not None:
            self._end(shot, outcome=outcome, detail=detail, link=link)
