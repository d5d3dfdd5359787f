"""haproxy.cfg made worse, as text; pure.

Only what concerns servers at the addresses given is changed: a load balancer may serve others too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator

SECTION = re.compile(
    r"(global|defaults|frontend|backend|listen|peers|resolvers|userlist|ring|cache|mailers|program"
    r"|http-errors|log-forward|fcgi-app|crt-store|traces)\b"
)
_KINDS_OF_CHECK = re.compile(
    r"option\s+(httpchk|tcp-check|ssl-hello-chk|ldap-check|mysql-check|pgsql-check|redis-check"
    r"|smtpchk|spop-check|external-check)\b|(http-check|tcp-check|external-check)\s"
)
_REDISPATCH = re.compile(r"(no\s+)?option\s+redispatch\b")
# A line up to its comment: a # is none within quotes or behind a backslash.
_CODE = re.compile(r"""(?:[^#"'\\]|\\.|"(?:[^"\\]|\\.)*"|'[^']*')*""")

Lines = list[str]


def without_checks(text: str, *, addresses: Collection[str]) -> str:
    """No server at one of these addresses is checked any more: each is taken for good."""
    return _changed(
        text, addresses, lambda section: [_with(line, "no-check", addresses) for line in section]
    )


def with_tcp_checks(text: str, *, addresses: Collection[str]) -> str:
    """Servers at these addresses are checked by a connection alone: nothing is asked of them."""

    def worse(section: Lines) -> Lines:
        kept = [line for line in section if not _KINDS_OF_CHECK.match(line.strip())]
        first, *rest = (_with(line, "no-check-ssl", addresses) for line in kept)
        return [first, "    option tcp-check\n", *rest]

    return _changed(text, addresses, worse)


def with_fall(text: str, fall: int, *, addresses: Collection[str]) -> str:
    """Servers at these addresses are down only after so many failed checks on end."""
    return _changed(
        text,
        addresses,
        lambda section: [_with(line, f"fall {fall}", addresses) for line in section],
    )


def without_redispatch(text: str, *, addresses: Collection[str]) -> str:
    """A connection that a server at one of these addresses does not take goes to no other one."""

    def worse(section: Lines) -> Lines:
        first, *rest = (line for line in section if not _REDISPATCH.match(line.strip()))
        return [first, "    no option redispatch\n", *rest]

    return _changed(text, addresses, worse)


def described(text: str, description: str) -> str:
    """With a description by which the running HAProxy tells that it goes by this text; as it was
    where there is no section `global` that could hold it."""
    made: Lines = []
    for section in sections(text):
        if section and section[0].split()[:1] == ["global"]:
            first, *rest = (line for line in section if line.split()[:1] != ["description"])
            section = [first, f"    description {description}\n", *rest]
        made += section
    return "".join(made)


def _changed(text: str, addresses: Collection[str], worse: Callable[[Lines], Lines]) -> str:
    """`worse` of every section with a server at one of the addresses, the others as they are."""
    made: Lines = []
    for section in sections(text):
        concerned = any(_is_server(line, addresses) for line in section)
        made += worse(section) if concerned else section
    return "".join(made)


def sections(text: str) -> Iterator[Lines]:
    """The lines of each section, the one that names it first."""
    section: Lines = []
    for line in text.splitlines(keepends=True):
        if SECTION.match(line.strip()) and section:
            yield section
            section = []
        section.append(line)
    yield section


def _is_server(line: str, addresses: Collection[str]) -> bool:
    words = line.split()
    if len(words) < 3 or words[0] != "server":
        return False
    host = words[2].rpartition("@")[2]
    return any(host in (one, f"[{one}]") or host.startswith((f"{one}:", f"[{one}]:"))
               for one in addresses)  # fmt: skip


def _with(line: str, word: str, addresses: Collection[str]) -> str:
    if not _is_server(line, addresses):
        return line
    match = _CODE.match(line)
    code = match.group().rstrip() if match else line.rstrip()
    return f"{code} {word}{line[len(code) :].rstrip(chr(10))}\n"
