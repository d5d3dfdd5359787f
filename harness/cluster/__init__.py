"""Reading and writing cluster.yaml, the state directory, the lock, the network namespace."""

from __future__ import annotations
