"""How long a run waits for what; seconds. Tests set other values."""

from __future__ import annotations

TICK_S = 0.1
"""Period of the run's own loop: reports are stamped at receipt, so this adds nothing to them."""

WHOLE_AT_START_S = 20.0
"""How long a cluster may take to show that it is whole before a run: the followers need about a
second, a VIP that has just moved or a restarted HAProxy a few more."""

WHOLE_BETWEEN_S = 300.0
"""The same between two runs of a series or a game-day: what the one before broke may take longer to
come back than its return leg was watched."""

AFTER_WORK_S = 300.0
"""How long a cluster may take to be whole when somebody's own work on it is over."""

VERSIONS_S = 5.0
"""Between two looks at the versions that kubelets report: one list of all nodes each."""

PHASE_S = 10.0
"""In a series the baseline lasts longer by a time drawn evenly from 0 to this. Otherwise each act
would come at the same phase of the cluster's timers, by which the run before it ended. The longest
of those that matter: kubelet's renewal of its Lease, the reconciler of `kubernetes` endpoints
(reference/timings_and_slos.md §2.8)."""

IN_FLIGHT_S = 1.2
"""Between the baseline's end and the act, so that a request of the baseline is answered before."""

BASELINE_LONGER_S = 60.0
"""How much longer than declared a baseline may last until its samples are enough."""

BASELINE_TRIES = 3
"""How often a baseline is taken when the sampler itself was kept from its work."""

RECOVERED_AFTER_S = 10.0
"""Clients are not called recovered sooner than this after the act: HAProxy's detection, an
election and a VRRP move all begin within it (reference/timings_and_slos.md: L1 to L5, E1)."""

STEADY_S = 5.0
"""Recovered means good for this long without a break."""

WHOLE_STEADY_S = 3.0
"""Whole means so for this long: a VIP that moves back on the node's return shows within it."""

OFF_PROOF_S = 15.0
"""How long it is asked, after a confirmed undo, whether what was on is over: a machine that is just
starting may not answer at once. What is over stays so, so a later answer is as good."""

PROOF_PERIOD_S = 0.2
"""Pause between two looks at whether a fault bites."""

BEARABLE_S = 5.0
"""How long what speaks against a fault may take to go: a follower that is late on a busy machine
makes all that only it tells unknown."""

STILL_S = 3.0
"""The same for who is meant, asked when all is ready for the act."""

READ_BACK_S = 30.0
"""How long it is tried, at the end, until some API server has told what is in each register."""

CATCH_UP_S = 30.0
"""How long etcd's members may take to tell a hash at one revision."""
