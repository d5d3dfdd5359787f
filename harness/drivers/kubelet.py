"""Where kubeadm puts what a kubelet goes by."""

from __future__ import annotations

CONFIGURATION = "/var/lib/kubelet/config.yaml"
"""kubeadm's KubeletRunDirectory and KubeletConfigurationFileName."""
