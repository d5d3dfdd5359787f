"""leader_election_off: every scheduler and controller manager works at once."""

from __future__ import annotations

from typing import ClassVar

from quorate.harness.drivers.manifests import with_flag
from quorate.harness.faults.covers.flags import OtherFlags

FLAG = "--leader-elect"


class LeaderElectionOff(OtherFlags):
    """By their static pods' manifests: kubelet starts each with the other flag."""

    name: ClassVar[str] = "leader_election_off"
    summary: ClassVar[str] = "kube-scheduler and kube-controller-manager run without election."
    parts: ClassVar[tuple[str, ...]] = ("kube-scheduler", "kube-controller-manager")
    word: ClassVar[str] = f"{FLAG}=false"

    def changed(self, text: str) -> str:
        return with_flag(text, FLAG, "false")

    def refusal(self, path: str, node: str) -> str:
        return f"{path} on {node} does not say {FLAG}=true: write it there, it is the default"
