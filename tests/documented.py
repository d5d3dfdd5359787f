"""The commands of README and docs, and who plays each: what is written there has to work.

Every line of a console block that begins with ``$`` is in one of three tables: played in an empty
folder without a cluster, played against the lab, or not played by the tests, with the reason.
"""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)

HERE: Sequence[str] = (
    "quorate new etcd_pause > mine.yaml",
    "quorate new upgrade_rolling -o our-upgrade.yaml",
    "quorate schema verdict > verdict.schema.json",
    "quorate schedule nightly --as systemd --window 22:00-04:00 --freeze 2026-12-20..2027-01-06",
    "quorate schedule core --as cron --at '30 2 * * 1-5'",
    (
        "quorate schedule core --as cronjob --image registry.example/quorate:1"
        " --timezone Europe/Berlin"
    ),
    "chaos validate experiments/vip_drop_holder.yaml",
)
"""In a folder with a cluster.yaml and a link to experiments/, in this order."""

ON_THE_LAB: Mapping[str, Sequence[int]] = {
    "quorate lab status": (0,),
    "quorate lab kubectl get nodes": (0,),
    "quorate new etcd_pause > mine.yaml": (0,),
    "quorate plan vip_drop_holder": (0,),
    "quorate plan mine.yaml": (0,),
    "quorate plan vip_drop_holder --cluster cluster.yaml": (0,),
    "quorate plan vip_drop_holder --save tonight.plan": (0,),
    "quorate gate --suite core --max-age 24h": (3,),
    "quorate audit": (0, 3),
    "quorate audit --json": (0, 3),
    "quorate audit --format sarif -o audit.sarif": (0, 3),
    "quorate upgrade --to v1.37.2 --before-node './bring {node} {version}' --dry-run": (0,),
    "quorate run --plan tonight.plan": (0,),
    "quorate report": (0,),
    "quorate report runs/20260101T120000Z-vip_drop_holder-1a2b": (0,),
    "quorate report --format html -o report.html": (0,),
    "quorate report --format junit -o junit.xml": (0,),
}
"""The exit codes that each may have, in this order; a run that is named there is the one that was
made. 3 of the audit: a lab that is younger than its first backup of etcd."""

_GAMEDAY = "by hand: seven minutes of a lab; tests/contract plays short ones"
_RUN = "one run of this kind is played; tests/lab plays every fault"
_LIFE = "tests/lab/test_life.py and the lab's own fixture"
_SHAPE = "by hand: docs/evidence/topologies.md"
_POWER = "tests/unit/drivers/switches, against simulators"
_OWN = "Kubernetes' or the system's own; by hand on the lab"
ELSEWHERE: Mapping[str, str] = {
    "git clone <this repository> quorate": "CI runs in a clone",
    "python3 noxfile.py": "tests/unit/project/test_bootstrap.py",
    "python3 noxfile.py gameday": "by hand: docs/evidence/first-start.md",
    "python3 noxfile.py tests": "this is what CI runs",
    "python3 noxfile.py unit": "a part of tests",
    "python3 noxfile.py docs": "a part of tests",
    "quorate lab start": _LIFE,
    "quorate lab down": _LIFE,
    "quorate lab up --fix-host --control-planes 5": _LIFE,
    "quorate lab up --fix-host --etcd external": _SHAPE,
    "quorate lab up --fix-host --load-balancers 2": _SHAPE,
    "quorate lab up --fix-host --balancer nginx": _SHAPE,
    "quorate gameday nginx": _SHAPE,
    "quorate gameday core_nginx": _SHAPE,
    "quorate gameday core_external_etcd": _SHAPE,
    "quorate rights --probes --faults": "tests/unit/run/test_rights.py",
    "umask 077": _OWN,
    "kubectl config view --raw --minify"
    " -o jsonpath='{.clusters[0].cluster.certificate-authority-data}'": _OWN,
    "kubectl create token quorate --namespace kube-system --duration 24h > quorate.token": _OWN,
    "cat > quorate.kubeconfig <<'END'": _OWN,
    "useradd --create-home --password '*' quorate": _OWN,
    "quorate rights --sudoers quorate > quorate.sudoers": "tests/unit/run/test_sudoers.py",
    "install -m 0440 quorate.sudoers /etc/sudoers.d/quorate": _OWN,
    "quorate lab power off cp1": "tests/lab/test_power.py",
    "quorate run vip_drop_holder": _RUN,
    "quorate run mine.yaml": _RUN,
    "quorate run experiments/vip_drop_holder.yaml": _RUN,
    "quorate run experiments/etcd_isolate.yaml": _RUN,
    "quorate run vip_drop_holder --cluster cluster.yaml": _RUN,
    "QUORATE_CLUSTER=cluster.yaml chaos run experiments/vip_drop_holder.yaml": (
        "tests/lab/test_parity.py"
    ),
    "quorate run experiments/vip_drop_holder.yaml --set longest_outage_s=8 --set abort_when=60": (
        "tests/contract/engine/test_bounds.py"
    ),
    "quorate gameday core": _GAMEDAY,
    "quorate audit --accept audit-accepted.yaml --backup '/backup/etcd/*.db'"
    " --backup-max-age 4h": "tests/lab/test_audit.py, with the lab's own list",
    "quorate audit --cluster cluster.yaml": "tests/lab/test_audit.py",
    "quorate discover --kubeconfig admin.conf --ssh-user root": "tests/lab/test_discover.py",
    "quorate discover --kubeconfig admin.conf --inventory inventory/hosts.yaml": (
        "tests/lab/test_discover.py, with the lab as an inventory"
    ),
    "quorate discover --kubeconfig admin.conf --machine lb1=192.0.2.51 --machine lb2=192.0.2.52"
    " -o staging.yaml": "tests/unit/cluster/discovery",
    "quorate power ipmitool status cp1 --map power.yaml": _POWER,
    "quorate power redfish off cp1 --map power.yaml --dry-run": _POWER,
    "quorate run upgrade_rolling": "tests/contract/engine/test_upgrade.py, quicker",
    "quorate watch -- ansible-playbook upgrade.yml": "tests/contract, with another command",
    "quorate watch --set longest_outage_s:api=2 -- ./roll.sh": "tests/contract, likewise",
    "quorate watch --for 300 https://shop.example/health": "tests/unit/run/test_onlooking.py",
    "quorate upgrade --to v1.37.2 --before-node './bring {node} {version}'": (
        "by hand: docs/evidence/upgrade.md"
    ),
    "quorate gameday core --resume": _GAMEDAY,
    "quorate gameday core --set vip_drop_holder/longest_outage_s:api=8": _GAMEDAY,
    "quorate gameday nightly": _GAMEDAY,
    "quorate report runs/gameday-20260101T120000Z-core-3c4d --format junit -o junit.xml": _GAMEDAY,
    "quorate report --format grafana": "it needs a Grafana; tests/unit/reports reads the form",
    'pytest experiments/ --quorate-cluster=cluster.yaml -m "core and not control"'
    " --junitxml=junit.xml": "tests/contract; eight runs on a lab",
    'pytest experiments/ -m "control-plane and not beyond-tolerance"': "tests/contract",
    'pytest -m "not quorate"': "tests/contract",
    "python3 -m venv venv": "tests/lab/test_staging.py",
    "pytest --quorate-cluster=cluster.yaml --junitxml=junit.xml": "tests/lab/test_staging.py",
}
"""Command → who plays it, or why nobody does."""


def commands(root: Path) -> dict[str, str]:
    """Each command of README and docs → the page that it is on first.

    Without `sudo`, without the folder of a program, without comment; of a line with several
    commands the first one.
    """
    found: dict[str, str] = {}
    for page in [root / "README.md", *sorted((root / "docs").glob("*.md"))]:
        for block in BLOCK.findall(page.read_text(encoding="utf-8")):
            for line in block.splitlines():
                if line.startswith("$ "):
                    found.setdefault(_first(line[2:]), page.name)
    return found


def _first(line: str) -> str:
    text = re.split(r"\s+#\s|\s+&&\s|\s+\|\s", line, maxsplit=1)[0].strip()
    text = text.removeprefix("sudo ")
    return re.sub(r"(?<![\w/])\.?venv/bin/", "", text)


def words_of(command: str) -> tuple[list[str], str]:
    """Its words, and the file that its output goes to ("": to none)."""
    words = shlex.split(command)
    if ">" not in words:
        return words, ""
    at = words.index(">")
    return words[:at], words[at + 1]


def play(
    command: str, *, programs: Path, folder: Path, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """One command as a person would give it, in a folder; `programs` holds quorate and chaos."""
    words, file = words_of(command)
    output = folder / file if file else None
    own = programs / words[0]
    argv = [str(own) if own.exists() else words[0], *words[1:]]
    done = subprocess.run(
        argv,
        cwd=folder,
        env=dict(environment),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if output is not None:
        output.write_text(done.stdout, encoding="utf-8")
    return done
