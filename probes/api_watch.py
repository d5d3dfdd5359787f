"""A watch that is kept open: does it still tell what others write?

It watches the run's registers, which the run writes once a second by way of the VIP and as often
through each API server, so that somebody writes as long as any API server can. OK at tick k means:
within the deadline after it was due, the stream had told everything that was acknowledged before it
was due (harness/sampling/program/watches.py says it in full). So a deadline of 1 s asks: is this
client's picture of the cluster never older than a second? FAILED: it was, because the stream told
nothing or could not be opened anew; UNKNOWN: for 5 s nobody could write, so that nobody can say.

The connection is kept: that is what a watch is (``connection: reused``).
"""

from __future__ import annotations

from urllib.parse import quote

from quorate.harness.model.probe_plan import VERSION_PLACE
from quorate.harness.model.register import Register
from quorate.probes.question import Question

QUESTION = Question(
    name="api_watch",
    path="",
    status=(200,),
    body_contains="",
    summary="a watch of the run's registers: has it told all that was acknowledged?",
    of="watch",
)


def watch_path(register: Register) -> str:
    """The path of a watch of this register and all others with its labels."""
    folder, _, _ = register.path.rpartition("/")
    labels = register.body["metadata"]["labels"].items()
    selector = quote(",".join(f"{key}={value}" for key, value in labels), safe="")
    return f"{folder}?watch=1&labelSelector={selector}&resourceVersion={VERSION_PLACE}"
