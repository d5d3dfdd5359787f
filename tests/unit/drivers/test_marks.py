"""A change is taken back only where the mark is that was put on with it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from quorate.harness.drivers.kube import Answer
from quorate.harness.drivers.kube_api import NONE_LEFT, KubeCommands
from quorate.harness.drivers.kube_command import carry_out
from quorate.harness.errors import DriverError
from tests.memory_api import MemoryServer

NODE = "/api/v1/nodes/w1"
SPACE = "/api/v1/namespaces/quorate"
MINE, THEIRS = "quorate-120000-0a79-worker-drain-1", "quorate-130000-1b80-worker-drain-1"
CORDONED = {"spec": {"unschedulable": True}}
OPEN = {"spec": {"unschedulable": None}}
COMMANDS = KubeCommands()


class Busy(MemoryServer):
    """Somebody else writes the object between our look and our change, so many times."""

    busy = 0

    def ask(
        self, method: str, path: str, *, body: bytes | None = None, content_type: str = ""
    ) -> Answer:
        if method == "PATCH" and self.busy:
            self.busy -= 1
            meta = self.objects[NODE]["metadata"]
            meta["resourceVersion"] = str(1 + int(meta["resourceVersion"]))
        return super().ask(method, path, body=body, content_type=content_type)


@pytest.fixture
def server() -> Busy:
    space = {"metadata": {"name": "quorate", "uid": "u-1", "labels": {"quorate/mark": MINE}}}
    node = {"metadata": {"name": "w1", "resourceVersion": "1"}, "spec": {}}
    return Busy({NODE: node, SPACE: space})


def run(server: MemoryServer, argv: tuple[str, ...]) -> str:
    return carry_out(server.api, argv[1], argv[2:])


def cordon(server: MemoryServer, mark: str = MINE) -> str:
    return run(server, COMMANDS.mark(NODE, CORDONED, mark=mark, unless=CORDONED))


def uncordon(server: MemoryServer, mark: str = MINE) -> str:
    return run(server, COMMANDS.unmark(NODE, OPEN, mark=mark))


def is_cordoned(server: MemoryServer) -> bool:
    return bool(server.objects[NODE]["spec"].get("unschedulable"))


def shown(server: MemoryServer, mark: str = MINE) -> str:
    return run(server, COMMANDS.show_mark(NODE, mark=mark))


def test_what_is_marked_is_taken_back_once_and_for_all(server: Busy) -> None:
    assert shown(server) == "null"
    assert cordon(server) == "done"
    assert cordon(server) == "done", "an answer that was lost: done twice is done once"
    assert shown(server) == '"on"'
    assert uncordon(server) == "done"
    assert not is_cordoned(server)
    assert shown(server) == "null"
    assert uncordon(server) == "not marked"


def test_a_late_undo_leaves_another_run_s_cordon_alone(server: Busy) -> None:
    cordon(server)
    uncordon(server)
    cordon(server, THEIRS)
    assert uncordon(server) == "not marked"
    assert is_cordoned(server)
    assert shown(server) == "null", "confirmed: nothing of ours is on it"
    assert shown(server, THEIRS) == '"on"'


def test_a_cordon_of_somebody_else_is_not_made_ours(server: Busy) -> None:
    server.objects[NODE]["spec"]["unschedulable"] = True
    with pytest.raises(DriverError, match="like that already"):
        cordon(server)
    uncordon(server)
    assert is_cordoned(server)


def test_what_others_write_meanwhile_is_read_anew(server: Busy) -> None:
    server.busy = 3
    assert cordon(server) == "done"
    server.busy = 3
    assert uncordon(server) == "done"
    server.busy = 99
    with pytest.raises(DriverError, match="changed by others"):
        cordon(server)


def test_two_changes_on_one_object_have_a_mark_each(server: Busy) -> None:
    cordon(server)
    run(server, COMMANDS.mark(NODE, {"spec": {"other": 1}}, mark=THEIRS))
    uncordon(server)
    assert server.objects[NODE]["spec"] == {"other": 1}
    assert shown(server, THEIRS) == '"on"'


def test_what_is_gone_needs_no_undo_and_cannot_be_marked(server: Busy) -> None:
    del server.objects[NODE]
    assert uncordon(server) == "gone"
    with pytest.raises(DriverError, match="no such object"):
        cordon(server)


def test_of_a_list_only_ours_goes(server: Busy) -> None:
    maps = "/api/v1/namespaces/kube-system/configmaps"
    for number, labels in enumerate([{"quorate/mark": MINE}, {"quorate/mark": THEIRS}, {}]):
        meta = {"name": f"m{number}", "uid": f"u-{number}", "labels": labels}
        server.objects[f"{maps}/m{number}"] = {"metadata": meta}
    shown = COMMANDS.show_labelled(maps, mark=MINE)
    assert re.search(NONE_LEFT, run(server, shown)) is None
    assert run(server, COMMANDS.delete_labelled(maps, mark=MINE)) == "done"
    assert [path for path in server.objects if path.startswith(maps)] == [
        f"{maps}/m1",
        f"{maps}/m2",
    ]
    assert ("DELETE", maps) not in server.asked, "never a list as a whole"
    assert re.search(NONE_LEFT, run(server, shown))
    assert run(server, COMMANDS.delete_labelled(maps, mark=MINE)) == "gone"


def test_a_namespace_goes_by_its_label(server: Busy) -> None:
    assert run(server, COMMANDS.delete_marked(SPACE, mark=THEIRS)) == "not marked"
    assert SPACE in server.objects
    bodies: list[Any] = []
    ask = server.ask

    def listening(method: str, path: str, *, body: bytes | None, content_type: str) -> Answer:
        bodies.append(json.loads(body) if body else None)
        return ask(method, path, body=body, content_type=content_type)

    server.ask = listening  # type: ignore[assignment]
    assert run(server, COMMANDS.delete_marked(SPACE, mark=MINE)) == "done"
    assert bodies[-1] == {"preconditions": {"uid": "u-1"}}, "this very one, not its successor"
    assert run(server, COMMANDS.delete_marked(SPACE, mark=MINE)) == "gone"
