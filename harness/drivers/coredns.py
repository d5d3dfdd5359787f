"""Where kubeadm puts the cluster's DNS."""

from __future__ import annotations

NAMESPACE = "kube-system"
NAME = "coredns"
SELECTOR = "k8s-app=kube-dns"
DEPLOYMENT_PATH = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/{NAME}"
