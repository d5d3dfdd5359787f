"""The sampler's program: standard library only, Python 3.8 or newer, one thread, nothing blocks.

It runs beside the harness (``main``) and on nodes (``detached``, with ``feed`` for what is read
meanwhile), so it imports nothing of quorate and its modules import each other relatively: the
folder works wherever it is put, and as a zip.

Open loop: tick ``k`` of a probe is due at ``t0 + k · period`` on CLOCK_MONOTONIC whatever became
of the ones before; each request stands alone, without a retry. What *we* got wrong (a tick sent
late, no descriptor left) is UNKNOWN, never FAILED and never OK.

Conversation: the first line on stdin is the configuration (JSON, see ``main``); stdin then stays
open, and its end is the order to stop. Lines on stdout: ``{"ready"}`` once certificates are loaded
and files are open, ``{"ticking"}`` once every probe has sent its first tick, ``{"report"}`` at the
end, or ``{"error"}``.
"""
