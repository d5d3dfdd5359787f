"""Where kubeadm puts the cluster's DNS."""

from __future__ import annotations

NAMESPACE = "kube-system"
SELECTOR = "k8s-app=kube-dns"
DEPLOYMENT_PATH = "/apis/apps/v1/namespaces/kube-system/deployments/coredns"
