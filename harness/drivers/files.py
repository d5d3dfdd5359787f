"""Files of a node, and laying one of ours over one of them.

What reads it next reads ours. The cover is a bind mount from below /run: the file itself is never
written to, and a reboot forgets both. The scripts are constant, data are arguments, and none has a
brace after a dollar sign (a dead man's switch hands them to systemd, which would replace those).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from quorate.harness.transport import Transport

# Whether ours, and no other mount, lies over the file as process $pid sees it: the kernel names
# what is mounted. A unit may have mounts of its own, which need not follow the machine's.
_MINE = """\
mine() { grep -q -F -e "/$(basename "$2")/$3 $1 " "/proc/$pid/mountinfo"; }
main_pid() { systemctl show -p MainPID --value "$1"; }
"""

# $1 the file, $2 our folder, $3 the name of ours, $4 the unit to be told; one that cannot read its
# configuration anew is started anew. Owner and mode are the file's own: whoever reads it runs as
# somebody.
_LAY = f"""{_MINE}
copy() {{ mkdir -p "$2" && cp -p "$1" "$2/$3"; }}
lay() {{
    mount --bind "$2/$3" "$1" || return
    [ -n "$4" ] || return 0
    pid=$(main_pid "$4")
    mine "$@" || nsenter -m -t "$pid" mount --bind "$2/$3" "$1" || return
    systemctl reload-or-restart "$4"
}}
"""

# $4 what ours holds, $5 the unit.
_COVER = f"""{_LAY}
copy "$@" && printf '%s' "$4" > "$2/$3" && lay "$1" "$2" "$3" "$5"
"""

# $4 the unit, the rest a command that prints what ours is to hold.
_COVER_BY = f"""{_LAY}
file=$1; folder=$2; name=$3; unit=$4; shift 4
copy "$file" "$folder" "$name" && "$@" > "$folder/$name" && [ -s "$folder/$name" ] &&
    lay "$file" "$folder" "$name" "$unit"
"""

# $1 the file, $2 our folder, $3 the name of ours, $4 the tag, $5 the unit to be told. It is told as
# long as our file is there, so that an undo which got no further than umount is finished by the
# next one.
_UNCOVER = f"""{_MINE}
pid=self
if mine "$@"; then echo "$1 was covered" | systemd-cat -t "$4"; fi
while mine "$@"; do umount "$1" || exit; done
if [ -e "$2/$3" ] && [ -n "$5" ]; then
    pid=$(main_pid "$5")
    while [ "$pid" != 0 ] && mine "$@"; do nsenter -m -t "$pid" umount "$1" || exit; done
    systemctl try-reload-or-restart "$5" || exit
fi
rm -f "$2/$3"
rmdir "$2" 2>/dev/null || true
"""

_IS_COVERED = """\
covered() { grep -F -e " $1 " /proc/self/mountinfo | grep -q -F -e "/quorate/"; }
"""
# Each file that is there, after a line with its name; no text of a configuration has the mark.
_MARK = "\x1e"
_TEXTS = r"""
for file do
    [ -e "$file" ] || continue
    printf '\036%s\n' "$file"; cat "$file" || exit
done
"""
# $@ patterns: each file that matches one and is not empty, with its age by the node's own clock.
_AGES = r"""
IFS=
now=$(date +%s)
for pattern do
    for file in $pattern; do
        [ -f "$file" ] && [ -s "$file" ] || continue
        changed=$(stat -c %Y "$file") || exit
        printf '%s %s\n' "$((now - changed))" "$file"
    done
done
"""
_COVERED = f"""{_IS_COVERED}
if covered "$1"; then echo covered; else echo uncovered; fi
"""
_UNCOVERED_AND = f"""{_IS_COVERED}
if covered "$1"; then echo "$1 is covered" >&2; exit 1; fi
shift; exec "$@"
"""

UNCOVERED = "^uncovered$"
"""What `covered_argv` prints when nothing of ours lies over the file."""


def cover_argv(path: str, text: str, *, folder: str, unit: str = "") -> tuple[str, ...]:
    """Lay a file with this text, kept in `folder` (below /run), over `path`; have the unit read
    it."""
    return ("sh", "-c", _COVER, "quorate", path, folder, _name(path), text, unit)


def cover_by_argv(
    path: str, argv: Sequence[str], *, folder: str, unit: str = ""
) -> tuple[str, ...]:
    """The same with what `argv` prints on the node, where nobody else is to see it."""
    return ("sh", "-c", _COVER_BY, "quorate", path, folder, _name(path), unit, *argv)


def uncover_argv(path: str, *, folder: str, tag: str, unit: str = "") -> tuple[str, ...]:
    """The way back, logged under `tag` where it was needed; harmless where it was not."""
    return ("sh", "-c", _UNCOVER, "quorate", path, folder, _name(path), tag, unit)


def texts_argv(*paths: str) -> tuple[str, ...]:
    """Prints those of the files that are there."""
    return ("sh", "-c", _TEXTS, "quorate", *paths)


def ages_argv(*patterns: str) -> tuple[str, ...]:
    """Prints age (s) and name of each file that matches a pattern of the shell's and holds
    something."""
    return ("sh", "-c", _AGES, "quorate", *patterns)


def covered_argv(path: str) -> tuple[str, ...]:
    """Prints `covered` or `uncovered`."""
    return ("sh", "-c", _COVERED, "quorate", path)


def uncovered_and(path: str, argv: Sequence[str]) -> tuple[str, ...]:
    """Ends with 1 where something of ours lies over the file; otherwise runs `argv`."""
    return ("sh", "-c", _UNCOVERED_AND, "quorate", path, *argv)


def _name(path: str) -> str:
    return PurePosixPath(path).name


class FileDriver:
    """What lies on a node. Changes nothing."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def text(self, node: str, path: str) -> str | None:
        """What the file holds; None where there is none or nothing in it. TransportError when the
        node cannot be asked."""
        asked = self._transport.run(node, ["cat", path], timeout_s=8.0)
        return asked.stdout if asked.returncode == 0 and asked.stdout else None

    def texts(self, node: str, paths: Sequence[str]) -> dict[str, str]:
        """What those of the files hold that are there, read in one go. TransportError when the
        node cannot be asked, or one of them not be read."""
        asked = self._transport.check(node, texts_argv(*paths), timeout_s=8.0)
        parts = asked.stdout.split(_MARK)[1:]
        return {path: text for path, _, text in (part.partition("\n") for part in parts)}

    def ages_s(self, node: str, patterns: Sequence[str]) -> dict[str, float]:
        """Each file that matches a pattern and holds something → seconds since it was changed, by
        the node's clock. TransportError when the node cannot be asked."""
        asked = self._transport.check(node, ages_argv(*patterns), timeout_s=8.0)
        rows = (line.partition(" ") for line in asked.stdout.splitlines())
        return {path: float(age) for age, _, path in rows}

    def is_covered(self, node: str, path: str) -> bool:
        """Whether a file of ours lies over it; TransportError when that is not known."""
        asked = self._transport.check(node, covered_argv(path), timeout_s=8.0)
        return asked.stdout.strip() == "covered"
