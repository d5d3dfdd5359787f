"""`quorate new FAULT`: an experiment to begin with, valid as it is written."""

from __future__ import annotations

import json

from quorate.harness.errors import UsageError
from quorate.harness.faults.catalogue import FAULTS
from quorate.harness.faults.contract import Fault, Parameter
from quorate.harness.model.frame import FORMAT
from quorate.harness.run import shipped

UPGRADE = "upgrade_"
TARGET = "control-plane:any"
FRAME = """\
controls: [{name: quorate, provider: {type: python, module: quorate.control}}]
runtime: {rollbacks: {strategy: always}}
steady-state-hypothesis:
  title: Every objective below is met
  probes:
    - {type: probe, name: verdict, tolerance: MET, provider: PROVIDER}
""".replace("PROVIDER", "{type: python, module: quorate.verdict, func: verdict}")
PLAN = """\
extensions:
  - name: quorate
    format: {format}
    given: []
    baseline_s: 15
    probes:
      api:        {{probe: api_quorum_read, path: vip, connection: new,    rate_hz: 20}}
      api_reused: {{probe: api_quorum_read, path: vip, connection: reused, rate_hz: 10}}
    objectives:
      - {{indicator: longest_outage_s, of: api, deadline_s: 1, during: fault, at_most: 5}}
      - {{indicator: bad_samples, of: [api, api_reused], during: baseline, at_most: 0}}
      - {{indicator: time_to_whole_s, since: undo, at_most: 120}}
    abort_when: {{indicator: longest_outage_s, of: api, at_most: 45}}
"""


def new_experiment(name: str, *, target: str = TARGET) -> str:
    """The text of an experiment for the fault `name`; UsageError for one that is not known.

    Its bounds are examples: the question, and what the answer must be, are the author's. Of a
    shipped experiment about an upgrade, which has no fault, it is a copy.
    """
    if name.startswith(UPGRADE) and name in shipped.names():
        if target != TARGET:
            raise UsageError(f"--target {target}: {name} breaks nothing, so it has no target")
        return shipped.find(name).read_text(encoding="utf-8")
    if name not in FAULTS:
        raise UsageError(f"no fault is called {name!r}; there are {', '.join(sorted(FAULTS))}")
    fault = FAULTS[name]
    steps = "\n".join(
        [
            "method:",
            _step("put it on; watch until clients have recovered", name, _arguments(fault, target)),
            _step(
                "take it off; watch until the cluster is whole",
                "undo",
                "watch_until: whole, at_most_s: 120",
            ),
        ]
    )
    head = (
        f"title: {json.dumps(f'{name} on {target} interrupts the API for at most 5 s')}\n"
        f"description: >-\n  {fault.summary}\n"
        f"tags: [{name.partition('_')[0]}]\n"
    )
    return head + FRAME + steps + "\n" + PLAN.format(format=FORMAT)


def _step(text: str, func: str, arguments: str) -> str:
    provider = f"{{type: python, module: quorate.faults, func: {func}, arguments: {{{arguments}}}}}"
    return f"  - name: {text}\n    type: action\n    provider: {provider}"


def _arguments(fault: Fault, target: str) -> str:
    ours = [f"{one.name}: {_value(one)}" for one in fault.parameters]
    return ", ".join([f'target: "{target}"', *ours, "watch_until: recovered", "at_most_s: 60"])


def _value(one: Parameter) -> str:
    if one.default is ...:
        return json.dumps(one.words[0] if one.words else one.type())
    return json.dumps(one.default)
