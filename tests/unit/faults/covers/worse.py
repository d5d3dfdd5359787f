"""Configurations in health, what runs says of itself, and the plan to make them worse."""

from __future__ import annotations

from quorate.harness.drivers.bundle import Drivers
from quorate.harness.faults.contract import Arrangement, Plan
from quorate.harness.run.arranging import Start
from quorate.harness.transport import MemoryTransport, Reply

NODES = ("cp1", "cp2", "cp3")
STAT = Reply("62 (x) S 1 1 1 0 -1 0 1 2 1 1 10 6 28 15 20 0 1 0 150 20299776 2931\n")
CFG = """\
backend apiservers
    option httpchk
    default-server check
    server cp1 192.0.2.1:6443
"""
SERVERS = Reply("""\
1
# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state
3 apiservers 1 cp1 192.0.2.1 2 0
3 apiservers 2 other 192.0.2.9 2 0
""")
CONF = """\
vrrp_script haproxy {
    interval 1
}
vrrp_instance api {
    priority %s
    virtual_ipaddress {
        192.0.2.100/32
    }
    track_script {
        haproxy
    }
}
"""
DUMP = """\
 VRRP Instance = api
   Advert interval = {} sec
   Priority = {}
 VRRP Script = haproxy
   Interval = {} sec
   Fall = 1
"""


def planned(arrangement: Arrangement, drivers: Drivers, **arguments: object) -> Plan:
    start = Start(arguments, deadline_s=60)
    return start.plan(arrangement, drivers=drivers, mark="m-1", holder=None)


def said(status: str, check: str) -> Reply:
    """`show stat` of an HAProxy with another server beside, of which it says the worst."""
    return Reply(
        "# pxname,svname,status,check_status,weight,\n"
        f"apiservers,cp1,{status},{check},1,\n"
        "apiservers,other,no check,L4OK,1,\n"
        "apiservers,BACKEND,UP,,1,\n"
    )


def haproxy_says(transport: MemoryTransport, drivers: Drivers, status: str, check: str) -> str:
    reply = said(status, check)
    transport.on(*drivers.haproxy.stat_argv(), reply=reply)
    return reply.stdout
