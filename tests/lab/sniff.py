"""Print what a machine of the lab says on its way out, as one word per packet.

Runs in the switch's namespace with the machine's port as argument; stdlib only. Words: ``fin``,
``rst`` (TCP flags), ``vrrp0`` (a keepalived that leaves), ``vrrp`` (an ordinary advert), ``other``.
"""

from __future__ import annotations

import contextlib
import socket
import sys

ETH_P_ALL = 3
TCP, VRRP = 6, 112


def word(packet: bytes) -> str:
    """Classify one Ethernet frame (IPv4 only)."""
    if packet[12:14] != b"\x08\x00":
        return "other"
    header = (packet[14] & 0x0F) * 4
    protocol, payload = packet[23], packet[14 + header :]
    if protocol == VRRP:
        return "vrrp0" if payload[2] == 0 else "vrrp"  # RFC 5798, section 5.1: priority
    if protocol == TCP and payload[13] & 0x01:
        return "fin"
    if protocol == TCP and payload[13] & 0x04:
        return "rst"
    return "other"


def main() -> None:
    """Until the port disappears, which is what a power cut does to it."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL)) as port:
        port.bind((sys.argv[1], ETH_P_ALL))
        print("ready", flush=True)
        with contextlib.suppress(OSError):  # ENETDOWN: the port is gone
            while True:
                packet, (_, _, direction, _, _) = port.recvfrom(65535)
                if direction != socket.PACKET_OUTGOING:
                    print(word(packet), flush=True)


if __name__ == "__main__":
    main()
