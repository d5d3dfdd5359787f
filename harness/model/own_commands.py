"""First words by which a journal names a command of our own; transport/own.py spells it out.

This module imports nothing: the command that writes to the Kubernetes API starts four times in
every run, and what it imports is most of what that takes.
"""

from __future__ import annotations

KUBE = "@kube"
"""A write to the Kubernetes API: `@kube VERB …`, see drivers/kube_command.py."""

POWER = "@power"
"""A call of the power switch: `@power on NODE`, by cluster.yaml's own command."""
