"""Power switches that cluster.yaml's power command may be: ipmitool, Redfish, virsh."""
