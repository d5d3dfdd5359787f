from __future__ import annotations

from pathlib import Path

import pytest

from quorate.harness.cluster.state import find_cluster, state_directory
from quorate.harness.errors import UsageError

TEXT = """\
format: 1
name: {name}
kubeconfig: kubeconfig
virtual_ip: {{address: 10.77.0.100, port: 8443}}
nodes: [{{name: cp1, address: 10.77.0.11, roles: [control-plane]}}]
network_namespace: {namespace}
"""


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"QUORATE_STATE": "/q", "XDG_STATE_HOME": "/x", "HOME": "/h"}, "/q"),
        ({"XDG_STATE_HOME": "/x", "HOME": "/h"}, "/x/quorate"),
        ({"XDG_STATE_HOME": "relative", "HOME": "/h"}, "/h/.local/state/quorate"),
        ({"QUORATE_STATE": "", "HOME": "/h"}, "/h/.local/state/quorate"),
    ],
)
def test_where_the_state_is(environ: dict[str, str], expected: str) -> None:
    assert state_directory(environ) == Path(expected)


class Labs:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.environ = {"QUORATE_STATE": str(root)}

    def add(self, name: str, *, running: bool, rebooted: bool = False) -> Path:
        namespace = self.root / f"netns-{name}"
        if running:
            namespace.symlink_to("/proc/self/ns/net")
        elif rebooted:
            namespace.touch()
        path = self.root / "labs" / name / "cluster.yaml"
        path.parent.mkdir(parents=True)
        path.write_text(TEXT.format(name=name, namespace=namespace))
        return path


@pytest.fixture
def labs(tmp_path: Path) -> Labs:
    return Labs(tmp_path)


def test_the_one_named_then_the_variable_then_the_running_lab(labs: Labs) -> None:
    labs.add("stopped", running=False)
    labs.add("file-only", running=False, rebooted=True)
    running = labs.add("running", running=True)
    assert find_cluster(environ=labs.environ) == running
    both = labs.environ | {"QUORATE_CLUSTER": "/v.yaml"}
    assert find_cluster(environ=both) == Path("/v.yaml")
    assert find_cluster(Path("/n.yaml"), environ=both) == Path("/n.yaml")


def test_none_stopped_and_several_are_told_apart(labs: Labs) -> None:
    with pytest.raises(UsageError, match="quorate lab up"):
        find_cluster(environ=labs.environ)
    labs.add("idle", running=False)
    with pytest.raises(UsageError, match=r"stopped: idle.*quorate lab start"):
        find_cluster(environ=labs.environ)
    labs.add("one", running=True)
    labs.add("two", running=True)
    with pytest.raises(UsageError, match=r"several labs are running \(one, two\)"):
        find_cluster(environ=labs.environ)
