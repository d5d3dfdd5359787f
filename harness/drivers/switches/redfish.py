"""Redfish over HTTPS: a server's BMC. DMTF DSP0266 and the schema ComputerSystem."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from quorate.harness.drivers.switches.switch import CALL_TIMEOUT_S, Action, Power, State, Step
from quorate.harness.errors import DriverError, NodeUnreachable, TransportError
from quorate.harness.model.power_map import RedfishMachine

SYSTEMS = "/redfish/v1/Systems"
STATES = {"On": State.ON, "Off": State.OFF}
"""PowerState; PoweringOn, PoweringOff, Paused and null are neither."""
RESETS: Mapping[str, Sequence[str]] = {"off": ("ForceOff",), "on": ("On", "ForceOn")}
"""ResetType, the first that is offered. GracefulShutdown asks the system, PushPowerButton toggles:
never those."""

_FINAL = (401, 403, 404, 405)
"""What no second try changes; the others are a BMC that is busy or between two states."""

_ALLOWABLE = "ResetType@Redfish.AllowableValues"


class RedfishSwitch:
    """One ComputerSystem. No proxy, no .netrc and no redirection: the password goes to `url`."""

    def __init__(self, node: str, machine: RedfishMachine, *, password: str) -> None:
        self._node = node
        self._machine = machine
        self._session = _session(machine, password=password)
        self._path = f"{SYSTEMS}/{machine.system}" if machine.system else ""

    def power(self) -> Power:
        system = self._system()
        if "PowerState" not in system:
            raise DriverError(
                f"{self._node}: {self._path} of {self._machine.url} has no PowerState"
            )
        word = str(system["PowerState"])
        return Power(STATES.get(word, State.OTHER), word)

    def step(self, action: Action) -> Step:
        reset = _get(self._system(), "Actions", "#ComputerSystem.Reset")
        target = reset.get("target")
        if not isinstance(target, str) or not target.startswith("/redfish/"):
            raise DriverError(f"{self._node}: {self._path} offers no ComputerSystem.Reset")
        offered = reset.get(_ALLOWABLE, RESETS[action])
        word = next((one for one in RESETS[action] if one in offered), None)
        if word is None:
            raise DriverError(
                f"{self._node}: its BMC offers no {' or '.join(RESETS[action])}, "
                f"only {', '.join(map(str, offered))}"
            )
        body = {"ResetType": word}
        text = f'POST {self._machine.url}{target} {{"ResetType": "{word}"}}'
        return Step(text, lambda: self._asked("POST", target, body=body))

    def _system(self) -> Mapping[str, Any]:
        self._path = self._path or self._only_system()
        return self._json(self._path)

    def _only_system(self) -> str:
        members = self._json(SYSTEMS).get("Members", [])
        paths = [str(_get(one).get("@odata.id")) for one in members]
        if len(paths) != 1 or not paths[0].startswith(f"{SYSTEMS}/"):
            known = ", ".join(path.rpartition("/")[2] for path in paths) or "none"
            raise DriverError(
                f"{self._node}: {self._machine.url} has the systems {known}; "
                "say which is meant: system: ID"
            )
        return paths[0]

    def _json(self, path: str) -> Mapping[str, Any]:
        response = self._asked("GET", path)
        try:
            found = response.json()
        except requests.JSONDecodeError:
            found = None
        if not isinstance(found, dict):
            raise DriverError(f"{self._node}: GET {self._machine.url}{path} is no JSON object")
        return found

    def _asked(
        self, method: str, path: str, *, body: Mapping[str, str] | None = None
    ) -> requests.Response:
        """The answer, if it is one of 200 to 299. The library's errors end here."""
        url = self._machine.url + path
        argv = ("curl", "-u", self._machine.user, url)
        try:
            response = self._session.request(
                method, url, json=body, timeout=CALL_TIMEOUT_S, allow_redirects=False
            )
        except requests.exceptions.SSLError as error:
            raise DriverError(
                f"{self._node}: the certificate of {self._machine.url} is not the one expected "
                f"({_reason(error)}); name its CA (ca: FILE) or, for one that it made itself, its "
                "SHA-256 (fingerprint: …)"
            ) from None
        except requests.RequestException as error:
            problem = f"{method} {url}: {_reason(error)}"
            raise NodeUnreachable(self._node, argv=argv, problem=problem) from None
        if response.ok and not response.is_redirect:
            return response
        problem = f"{method} {url} answered {response.status_code} {_message(response)}".rstrip()
        if response.status_code in _FINAL or response.is_redirect:
            raise DriverError(f"{self._node}: {problem}{self._way_out(response.status_code)}")
        raise TransportError(self._node, argv=argv, problem=problem)

    def _way_out(self, status: int) -> str:
        if status in (401, 403):
            return f"; is the password that of {self._machine.user}, and may it switch?"
        return "; is this the BMC's own address, and the system's own Id?"


def _session(machine: RedfishMachine, *, password: str) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.auth = (machine.user, password)
    session.headers["Accept"] = "application/json"
    if machine.ca is not None:
        session.verify = str(machine.ca)
    if machine.fingerprint is not None:
        session.verify = False  # by names and dates; the fingerprint is checked instead
        session.mount("https://", _Pinned(machine.fingerprint))
    return session


class _Pinned(HTTPAdapter):
    """Talks to just the one certificate."""

    def __init__(self, fingerprint: str) -> None:
        self._fingerprint = fingerprint
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, assert_fingerprint=self._fingerprint, **kwargs)


def _get(value: object, *keys: str) -> Mapping[str, Any]:
    """The mapping below these keys; empty where there is none."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def _message(response: requests.Response) -> str:
    """What a Redfish error says of itself, cut short and without control characters."""
    try:
        error = _get(response.json(), "error")
    except requests.JSONDecodeError:
        return ""
    extended = error.get("@Message.ExtendedInfo") or [{}]
    text = _get(extended[0]).get("Message") if isinstance(extended, list) else None
    text = text or error.get("message")
    return repr(str(text)[:300]) if text else ""


def _reason(error: requests.RequestException) -> str:
    """The innermost cause: the library's own text is a nest of them."""
    cause: object = error
    while isinstance(cause, BaseException) and cause.args:
        inner = getattr(cause, "reason", None) or cause.args[-1]
        if not isinstance(inner, BaseException):
            break
        cause = inner
    return str(cause)[:300]
