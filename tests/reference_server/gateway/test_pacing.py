from reference_server.gateway.pacing import LONGEST_PAUSE_S, Pacing


def pause_at_length(flush_s: float, lateness_s: float = 0.0) -> float:
    pacing = Pacing()
    for _ in range(50):
        pause_s = pacing.pause_after(flush_s, lateness_s)
    return pause_s


def test_a_quiet_server_never_pauses() -> None:
    """If a channel costs less than a quarter of a millisecond, there is no pause between flushes."""
    assert pause_at_length(0.0002) == 0.0


def test_a_busy_server_writes_a_ninth_of_the_time() -> None:
    """The pause is eight times the cost plus twice the lateness of the loop."""
    assert abs(pause_at_length(0.002) - 0.016) < 1e-4
    assert abs(pause_at_length(0.001, 0.003) - 0.014) < 1e-4


def test_a_late_loop_pauses_though_its_flushes_are_cheap() -> None:
    """Lateness alone shows that the machine is busy. Then messages share writes."""
    assert pause_at_length(0.0001, 0.005) > 0.01


def test_the_pause_is_bounded() -> None:
    """A flush of any cost adds at most 25 ms."""
    assert pause_at_length(1.0) == LONGEST_PAUSE_S


def test_one_outlier_does_not_slow_the_next_flushes() -> None:
    """Cost and lateness are smoothed. After one flush of 1 ms the next one has no pause."""
    pacing = Pacing()
    assert pacing.pause_after(0.001, 0.0) == 0.0
