"""From a kubeconfig and a way by ssh to a cluster.yaml. Reads, and changes nothing."""
