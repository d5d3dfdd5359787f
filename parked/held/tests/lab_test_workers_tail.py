@pytest.mark.parametrize(
    ("experiment", "exit_code"),
    [
        ("pod_kill", 0),
        ("controls/pod_kill_of_one_replica", 1),
        ("coredns_kill", 0),
        ("controls/coredns_kill_of_one", 1),
    ],
)
def test_what_becomes_of_killed_pods(lab: Lab, experiment: str, exit_code: int) -> None:
    played = lab.play(experiment)
    assert played.exit_code == exit_code, played.output
    nothing_is_left(lab)
