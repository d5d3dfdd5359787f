"""Nginx as a load balancer of TCP (its stream module), as Debian installs it.

It is asked at its monitor address and through itself (drivers/follower.py); the open-source Nginx
has no interface that tells of the servers behind it.
"""

from __future__ import annotations

UNIT = "nginx"
CONFIGURATION = "/etc/nginx/nginx.conf"
"""Files that it includes are not read."""
