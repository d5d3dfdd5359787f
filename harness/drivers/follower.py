"""Following the nodes and the API servers by event: reports, stamped when they were received.

A thread for each source puts `Report`s into one queue; it decides nothing and writes nothing.
"""

from __future__ import annotations

import json
import queue
import select
import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from quorate.harness.drivers import etcd, keepalived, node_program
from quorate.harness.drivers.kube import KubeDriver
from quorate.harness.drivers.watched import Noticed
from quorate.harness.errors import DriverError
from quorate.harness.model.cluster import Cluster, Node, Role
from quorate.harness.transport import Stream, Transport

RECONNECT_S = 0.5
STOP_CHECK_S = 0.2
DOOR_PERIOD_S = 0.2
DOOR_TIMEOUT_S = 0.5
SSH_PORT = 22
API_PERIOD_S = 0.2
NODES_PERIOD_S = 0.5
LIFETIME_S = 3 * 3600.0
"""What a follower on a node lives at most, should its connection break without its noticing."""

# stdin stays open behind the program, so its length is told: argv is -c, length, configuration.
_BOOTSTRAP = (
    "import sys;exec(compile(sys.stdin.buffer.read(int(sys.argv[1])),'quorate-follower','exec'))"
)

PROGRAM = Path(node_program.__file__).read_bytes()
"""The text of the node's program."""

_KINDS = ("hello", "beat", "fact")


@dataclass(frozen=True)
class Report:
    """One line of a source. `t_ns` is CLOCK_MONOTONIC at receipt, in nanoseconds.

    kind: "hello", "beat", "fact", or "lost" (nothing more is known from this source).
    source: the node's name for a follower, `api:<node>` for an API server, `nodes` for the API.
    """

    t_ns: int
    source: str
    kind: str
    component: str = ""
    node: str = ""
    state: str = ""
    good: bool | None = None
    server: str | None = None


Sink = queue.SimpleQueue[Report | Noticed]


def follower_config(cluster: Cluster, *, node: Node) -> dict[str, object]:
    """What the program on `node` is to look at."""
    config: dict[str, object] = {
        "virtual_ip": cluster.virtual_ip.address,
        "lifetime_s": LIFETIME_S,
    }
    if node.has(Role.ETCD):
        config["etcd"] = etcd.METRICS_URL
        config["etcd_clients"] = {
            "address": etcd.CLIENT_URL.partition("://")[2],
            "ca": etcd.CA,
            "certificate": etcd.CERTIFICATE,
            "key": etcd.KEY,
        }
    if node.has(Role.LOAD_BALANCER):
        config["keepalived"] = keepalived.UNIT
        config[cluster.balancer] = _balancer(cluster, node=node)
    return config


def _balancer(cluster: Cluster, *, node: Node) -> dict[str, object]:
    """How it is asked: HAProxy tells of its servers, Nginx only passes a question on to one."""
    if cluster.balancer == "nginx":
        through = {"host": node.address, "port": cluster.virtual_ip.port}
        return {"monitor_url": cluster.monitor_url, "through": through}
    return {
        "stats_socket": str(cluster.haproxy.stats_socket),
        "monitor_url": cluster.monitor_url,
        "servers": {one.name: one.address for one in cluster.control_planes},
    }


def follower_argv(cluster: Cluster, *, node: Node) -> tuple[str, ...]:
    """The command for the node; the program itself goes to its stdin."""
    config = json.dumps(follower_config(cluster, node=node), sort_keys=True)
    return ("python3", "-I", "-u", "-c", _BOOTSTRAP, str(len(PROGRAM)), config)


def parse_line(line: str, *, node: str, t_ns: int) -> Report | None:
    """A follower's line as a Report; None for what it did not write (a login banner)."""
    try:
        said = json.loads(line)
    except ValueError:
        return None
    if not isinstance(said, dict) or said.get("k") not in _KINDS:
        return None
    return Report(
        t_ns,
        node,
        said["k"],
        component=said.get("component", ""),
        node=node,
        state=str(said.get("state", said.get("boot_id", ""))),
        good=said.get("good"),
        server=said.get("server"),
    )


class Source:
    """Base of the threads that follow something until told to stop."""

    def __init__(self, name: str, *, sink: Sink) -> None:
        self.name = name
        self._sink = sink
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"follow {name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ask it to end; `join` waits."""
        self._stopping.set()

    def join(self, timeout_s: float) -> None:
        self._thread.join(timeout_s)

    def _run(self) -> None:
        raise NotImplementedError

    def _put(self, kind: str, **fields: object) -> None:
        self._sink.put(Report(time.monotonic_ns(), self.name, kind, **fields))  # type: ignore[arg-type]


class NodeFollower(Source):
    """The program on one node; started anew whenever its stream ends."""

    def __init__(self, node: Node, *, cluster: Cluster, transport: Transport, sink: Sink) -> None:
        super().__init__(node.name, sink=sink)
        self._argv = follower_argv(cluster, node=node)
        self._transport = transport
        self._door = (node.address, cluster.ssh.port or SSH_PORT)

    def _run(self) -> None:
        direct = self._door_is_open()
        while not self._stopping.is_set():
            if direct:
                self._wait_at_the_door()
            with self._transport.stream(self.name, self._argv, stdin=PROGRAM) as stream:
                self._follow(stream)
            self._put("lost")
            self._stopping.wait(RECONNECT_S)

    def _wait_at_the_door(self) -> None:
        """A booting machine is asked often and cheaply: ssh itself would hang for seconds in each
        try. Only where its port was reachable at first, and not by way of a bastion."""
        while not self._stopping.is_set() and not self._door_is_open():
            self._stopping.wait(DOOR_PERIOD_S)

    def _door_is_open(self) -> bool:
        try:
            socket.create_connection(self._door, timeout=DOOR_TIMEOUT_S).close()
        except OSError:
            return False
        return True

    def _follow(self, stream: Stream) -> None:
        """Until told to stop, or the program has ended: booting, cut off or powered off."""
        while not self._stopping.is_set() and not stream.ended:
            if not select.select([stream], [], [], STOP_CHECK_S)[0]:
                continue
            for line in stream.read_lines():
                report = parse_line(line, node=self.name, t_ns=time.monotonic_ns())
                if report is not None:
                    self._sink.put(report)


class ApiServerFollower(Source):
    """/readyz of one API server, asked directly at its node."""

    def __init__(self, node: Node, *, kube: KubeDriver, sink: Sink) -> None:
        super().__init__(f"api:{node.name}", sink=sink)
        self._node = node.name
        self._server = kube.api_server(node)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                status = self._server.get("/readyz").status
                state, good = ("ready", True) if status == 200 else (f"status {status}", False)
            except DriverError as error:
                state, good = f"no answer: {type(error.__cause__).__name__}", False
            self._put("fact", component="apiserver", node=self._node, state=state, good=good)
            self._stopping.wait(API_PERIOD_S)
        self._server.close()


class NodesFollower(Source):
    """The Ready condition of every node, from any API server that answers."""

    def __init__(self, *, kube: KubeDriver, sink: Sink) -> None:
        super().__init__("nodes", sink=sink)
        self._kube = kube

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                ready = self._kube.nodes_ready()
            except DriverError:
                self._put("lost")
            else:
                self._tell(ready)
            self._stopping.wait(NODES_PERIOD_S)

    def _tell(self, ready: Mapping[str, bool]) -> None:
        for node, good in ready.items():
            state = "Ready" if good else "NotReady"
            self._put("fact", component="node", node=node, state=state, good=good)
