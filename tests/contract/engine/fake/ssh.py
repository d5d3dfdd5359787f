"""`ssh` as the tests' PATH has it: answers for the nodes of a fake cluster, or has no way to them.

WORLD comes from the environment. Whatever is asked that it does not know ends with 127.
"""

from __future__ import annotations

import json
import os
import shlex
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from world import World

UNREACHABLE = 255

FILES = {
    "keepalived.conf": (
        "vrrp_instance vip {{\n  priority 100\n  advert_int 1\n"
        "  virtual_ipaddress {{\n    {vip}/24\n  }}\n}}\n"
    ),
    "haproxy.cfg": (
        "listen apiservers\n  bind *:8443\n  option httpchk GET /readyz\n"
        "  default-server check inter 1s fall 2 rise 2\n  timeout connect 2s\n"
        "  server cp1 {cp1}:6443\n  server cp2 {cp2}:6443\n  server cp3 {cp3}:6443\n"
    ),
    "etcd.yaml": (
        "spec:\n  containers:\n  - name: etcd\n    command:\n"
        "    - --election-timeout=1500\n    - --heartbeat-interval=150\n"
    ),
    "kube-apiserver.yaml": (
        "spec:\n  containers:\n  - name: kube-apiserver\n    command:\n"
        "    - --etcd-servers=https://127.0.0.1:2379\n"
    ),
}


def main() -> int:
    world = World(Path(os.environ["QUORATE_FAKE_WORLD"]))
    address, command = sys.argv[sys.argv.index("--") + 1 :]
    node = next(name for name, known in world.nodes.items() if known == address)
    if world.is_off(node):
        print(f"ssh: connect to host {address} port 22: No route to host", file=sys.stderr)
        return UNREACHABLE
    return answer(world, node, as_root(world, shlex.split(command)))


def as_root(world: World, argv: list[str]) -> list[str]:
    """What is behind sudo, which asks for what WORLD/sudo says; as it is where nothing is there."""
    if argv[0] != "sudo":
        return argv
    if "-S" not in argv:
        return argv[argv.index("--") + 1 :]
    said = [line_of_stdin()]
    if said != [(world.path / "sudo").read_text()]:
        print("sudo: 1 incorrect password attempt", file=sys.stderr)
        sys.exit(1)
    if argv[-1] == "true" and "sh" not in argv:
        return ["true"]
    begins = argv[argv.index("quorate") + 1]
    while said[-1] != begins:
        said.append(line_of_stdin())
    return argv[argv.index("quorate") + 2 :]


def line_of_stdin() -> str:
    """Byte by byte: what follows is the command's own."""
    line = b""
    while (byte := os.read(0, 1)) not in (b"", b"\n"):
        line += byte
    return line.decode()


def answer(world: World, node: str, argv: list[str]) -> int:
    if argv == ["cat", "/proc/sys/kernel/random/boot_id"]:
        print(world.boot_id(node))
    elif argv[:2] == ["sh", "-c"] and "boot_id" in argv[2]:
        print(world.boot_id(node))  # without the waiting: power goes at once here
    elif argv[:2] == ["sh", "-c"] and "for file do" in argv[2]:
        for path in argv[4:]:
            if Path(path).name in FILES:
                print(f"\x1e{path}\n{file_of(world, path)}")
    elif argv[0] == "cat" and Path(argv[1]).name in FILES:
        print(file_of(world, argv[1]))
    elif argv == ["ip", "-j", "addr"]:
        held = [{"local": world.vip}] if world.holds(node) else []
        print(json.dumps([{"addr_info": [{"local": world.nodes[node]}, *held]}]))
    elif argv[0] == "curl" and argv[-1].endswith("/v3/maintenance/hashkv"):
        print(json.dumps({"header": {"revision": "90"}, "hash": 5, "hash_revision": "90"}))
    elif argv[0] == "curl" and argv[-1].endswith("/metrics"):
        print(f"etcd_server_has_leader 1\netcd_server_is_leader {int(node == leader(world))}")
    elif argv[0] == "systemd-run" and "--scope" in argv:
        world.sampler_starts(node)
        os.execv(sys.executable, [sys.executable, *argv[argv.index("--") + 2 :]])
    elif argv[:2] == ["sh", "-c"] and argv[-1].startswith(str(world.run)):
        world.sampler_ends(node)
        print("gone")
    elif argv[0] == "systemd-run" or argv[-1].endswith(".timer"):
        return switch(argv)
    elif argv[:2] == ["systemctl", "stop"]:
        (world.path / "stopped" / node).touch()
    elif argv[:2] == ["systemctl", "start"]:
        (world.path / "stopped" / node).unlink(missing_ok=True)
    elif argv[:2] == ["systemctl", "is-active"]:
        print("inactive" if world.is_stopped(node) else "active")
    elif argv[:2] == ["kubeadm", "upgrade"]:
        return int("--fail" in argv)
    elif argv[:3] == ["systemctl", "restart", "kubelet"]:
        world.upgrade(node, "v2")
    elif argv == ["systemctl", "daemon-reload"]:
        pass
    elif argv[:1] == ["python3"] and "-u" in argv:
        return follow(world, node)
    elif argv[:1] == ["python3"]:
        os.execv(sys.executable, [sys.executable, *argv[1:]])
    elif argv != ["true"]:
        print(f"fake ssh: {argv}", file=sys.stderr)
        return 127
    return 0


def file_of(world: World, path: str) -> str:
    return FILES[Path(path).name].format(vip=world.vip, **world.nodes)


def switch(argv: list[str]) -> int:
    """A dead man's switch that never goes off: the tests end before."""
    if argv[:2] == ["systemctl", "show"]:
        print("inactive")
    return 0


def follow(world: World, node: str) -> int:
    """What the follower would say of this node; silent when its power is gone."""
    said: dict[tuple[str, str], object] = {}
    while not world.is_off(node):
        lines: list[dict[str, object]] = [{"k": "beat"}]
        for component, server, state, good in facts(world, node):
            if said.get((component, server)) != state:
                said[(component, server)] = state
                line = {"k": "fact", "component": component, "state": state, "good": good}
                lines.append({**line, "server": server} if server else line)
        for line in lines:
            print(json.dumps(line), flush=True)
        time.sleep(0.1)
    time.sleep(1.0)
    return UNREACHABLE


def leader(world: World) -> str:
    return next(name for name in world.nodes if not world.is_off(name))


def facts(world: World, node: str) -> list[tuple[str, str, str, bool | None]]:
    first = leader(world)
    backends = [(n, not world.is_off(n)) for n in world.nodes]
    stopped = world.is_stopped(node)
    return [
        ("vip", "", "held" if world.holds(node) else "absent", None),
        ("raft", "", "leads" if node == first else "follows", None),
        ("raft_term", "", f"{3 + list(world.nodes).index(first)} {first}", None),
        ("etcd", "", "healthy", True),
        ("haproxy", "", "up", True),
        ("keepalived", "", "inactive" if stopped else "active", not stopped),
        *(("haproxy_backend", n, "UP" if up else "DOWN", up) for n, up in backends),
    ]


if __name__ == "__main__":
    sys.exit(main())
