"""Simulators of what switches talk to: two programs that take what ipmitool and virsh take and
print what they print (ipmitool 1.8.19 and libvirt 9.0), and a Redfish service."""

from __future__ import annotations

import base64
import json
import ssl
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

SECRET = "planted-secret"
PARENT = "/redfish/v1/Systems"
RESET = f"{PARENT}/1/Actions/ComputerSystem.Reset"

_IPMITOOL = r"""#!/bin/sh
echo "$*" >> "$SIMULATED/asked"
[ "$IPMITOOL_PASSWORD" = planted-secret ] || {
    echo "Error: Unable to establish IPMI v2 / RMCP+ session" >&2; exit 1; }
for word; do last=$word; done
case "$last" in
status) echo "Chassis Power is $(cat "$SIMULATED/power")" ;;
on) echo on > "$SIMULATED/power"; echo "Chassis Power Control: Up/On" ;;
off) echo off > "$SIMULATED/power"; echo "Chassis Power Control: Down/Off" ;;
*) exit 2 ;;
esac
"""

_VIRSH = r"""#!/bin/sh
echo "$*" >> "$SIMULATED/asked"
[ "$LC_ALL" = C ] || exit 3
[ "$4 $5" = "--domain vm1" ] || { echo "error: failed to get domain '$5'" >&2; exit 1; }
power=$(cat "$SIMULATED/power")
case "$3 $power" in
"dominfo on") state=running ;;
"dominfo off") state="shut off" ;;
"start off") echo on > "$SIMULATED/power"; echo "Domain '$5' started"; exit ;;
"destroy on") echo off > "$SIMULATED/power"; echo "Domain '$5' destroyed"; exit ;;
*) echo "error: Requested operation is not valid: domain is already so" >&2; exit 1 ;;
esac
printf 'Id:             1\nName:           vm1\nState:          %s\nCPU(s):         2\n' "$state"
printf 'Persistent:     %s\nSecurity DOI:   \n\n' "$(cat "$SIMULATED/persistent")"
"""


def write_programs(folder: Path) -> Path:
    """The folder of the programs; `power` in `folder` is on or off, `asked` what they were."""
    programs = folder / "bin"
    programs.mkdir()
    for name, text in (("ipmitool", _IPMITOOL), ("virsh", _VIRSH)):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    (folder / "power").write_text("on\n")
    (folder / "persistent").write_text("yes\n")
    (folder / "asked").write_text("")
    return programs


class Bmc(ThreadingHTTPServer):
    """One system on 127.0.0.1, whose `answers` (status, body) are given out before its own."""

    daemon_threads = True

    def __init__(self, *, certificate: tuple[Path, Path] | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.power: str | None = "On"
        self.systems = ["1"]
        self.offered: list[str] | None = ["On", "ForceOff", "GracefulShutdown", "PushPowerButton"]
        self.target = RESET
        self.answers: list[tuple[int, object]] = []
        self.asked: list[str] = []
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.socket = context.wrap_socket(self.socket, server_side=True)

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that does not like the certificate hangs up."""

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, object]:
        self.asked.append(f"{method} {path} {body.decode()}".strip())
        if self.answers:
            return self.answers.pop(0)
        if (method, path) == ("POST", RESET):
            self.power = {"ForceOff": "Off", "On": "On"}[json.loads(body)["ResetType"]]
            return 204, None
        if path == PARENT:
            return 200, {"Members": [{"@odata.id": f"{PARENT}/{one}"} for one in self.systems]}
        if path == f"{PARENT}/1":
            reset: dict[str, object] = {"target": self.target}
            if self.offered is not None:
                reset["ResetType@Redfish.AllowableValues"] = self.offered
            actions = {"#ComputerSystem.Reset": reset}
            return 200, {"Id": "1", "PowerState": self.power, "Actions": actions}
        return 404, {"error": {"message": "no such resource"}}


class _Handler(BaseHTTPRequestHandler):
    server: Bmc

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers["Content-Length"])))

    def _answer(self, body: bytes) -> None:
        wanted = base64.b64encode(f"quorate:{SECRET}".encode()).decode()
        status: int
        content: object
        if self.headers["Authorization"] == f"Basic {wanted}":
            status, content = self.server.answer(self.command, self.path, body)
        else:
            info = [{"Message": "Incorrect user\x1b[31m or password"}]
            status, content = 401, {"error": {"@Message.ExtendedInfo": info}}
        text = content if isinstance(content, str) else json.dumps(content)
        sent = b"" if content is None else text.encode()
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "http://127.0.0.1:9/")
        self.send_header("Content-Length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)

    def log_message(self, format: str, *args: object) -> None:
        pass
