"""Two questions to the staging cluster before each release."""

from __future__ import annotations

OBJECTIVES = [
    {"indicator": "longest_outage_s", "of": "api", "deadline_s": 1, "at_most": 8},
    {"indicator": "bad_samples", "of": ["api", "api_reused"], "during": "baseline", "at_most": 0},
    {"indicator": "time_to_whole_s", "since": "undo", "at_most": 120},
]


def test_a_load_balancer_may_die(quorate):
    """An experiment that comes with quorate, by its name and with its own bounds."""
    quorate.run("haproxy_kill").assert_met()


def test_the_etcd_leader_may_die(quorate):
    """A fault around code of our own, and bounds of our own."""
    plan = {"objectives": OBJECTIVES}
    with quorate.inject("etcd_kill", target="etcd-leader", at_most_s=60, plan=plan) as fault:
        assert len(fault.nodes) == 1
        assert fault.watch_until("recovered", at_most_s=45)
    fault.assert_met()
    assert sum(one.length_s for one in fault.outages("api")) <= 8
