"""Drivers: one system's facts and interface a file, and nothing else.

Only this package knows how etcd, HAProxy, keepalived, systemd, the API server or a power switch
is spoken to. A driver translates its library's errors into `DriverError` at one place.
"""
