"""quorate: a machine-checkable answer to "is this Kubernetes cluster really highly available?"."""

from __future__ import annotations

__version__ = "0.1.0"
