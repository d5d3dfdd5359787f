"""What a sampler is told, from the plans of its probes; see program/main.py for the shape."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from quorate.harness.judge.evidence import CONTROL_DEADLINE_S, CONTROL_RATE_HZ
from quorate.harness.model.probe_plan import ProbePlan
from quorate.harness.model.register import Register


def session_config(
    probes: Mapping[str, ProbePlan],
    *,
    base_ns: int,
    fifo_priority: int,
    control: str,
    output: Callable[[str], str],
) -> dict[str, Any]:
    """The configuration of one sampler.

    Args:
        base_ns: what is subtracted from its CLOCK_MONOTONIC, so that times are the run's.
        control: name of its probe of itself.
        output: name of a probe → where its samples are written.
    """
    return {
        "base_ns": base_ns,
        "fifo_priority": fifo_priority,
        "lasts_s": None,
        "probes": [
            {**_probe_config(name, plan), "output": output(name)} for name, plan in probes.items()
        ],
        "control": {
            "name": control,
            "rate_hz": CONTROL_RATE_HZ,
            "hard_timeout_s": CONTROL_DEADLINE_S * 4,
            "output": output(control),
        },
    }


def shown_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """The same for sampler.json: no credentials, and no request (a header may hold a token)."""
    return {
        **config,
        "control": _shown(config["control"]),
        "probes": [_shown(probe) for probe in config["probes"]],
    }


def _probe_config(name: str, plan: ProbePlan) -> dict[str, Any]:
    tls = None
    if (client := plan.credentials) is not None:
        tls = {
            "name": plan.server_name or plan.host,
            "ca": client.ca_pem,
            "certificate": client.certificate_pem,
            "key": client.key_pem,
        }
    return {
        "name": name,
        "host": plan.host,
        "port": plan.port,
        "connection": plan.connection,
        "rate_hz": plan.rate_hz,
        "hard_timeout_s": plan.hard_timeout_s,
        "in_flight_max": plan.in_flight_max,
        "requests": list(plan.requests),
        "registers": [one.name for one in plan.registers],
        "writes": [_write_config(one, plan) for one in plan.registers if plan.writes],
        "watches": plan.watches,
        "looks_up": plan.looks_up,
        "status": list(plan.status),
        "body_contains": plan.body_contains,
        "tls": tls,
    }


def _write_config(register: Register, plan: ProbePlan) -> dict[str, Any]:
    head = plan.head("PUT", register.path) + "Content-Type: application/json\r\n"
    return {"head": head, "object": register.body, "values": register.values}


def _shown(probe: Mapping[str, Any]) -> dict[str, Any]:
    hidden = {"requests", "writes", "tls", "output"}
    return {key: value for key, value in probe.items() if key not in hidden}
