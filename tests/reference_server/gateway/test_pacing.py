from reference_server.gateway.pacing import LONGEST_PAUSE_S, Pacing


def pause_at_length(flush_s: float, lateness_s: float = 0.0) -> float:
    pacing = Pacing()
    for _ in range(50):
        pause_s = pacing.pause_after(flush_s, lateness_s)
    return pause_s


def test_a_quiet_server_never_pauses() -> None:
    """Where a channel costs less than a quarter of a millisecond flushes follow one another at once."""
    assert pause_at_length(0.0002) == 0.0


def test_a_busy_server_writes_a_ninth_of_the_time() -> None:
    """The pause is eight times the cost, and twice the lateness of the loop beside it."""
    assert abs(pause_at_length(0.002) - 0.016) < 1e-4
    assert abs(pause_at_length(0.001, 0.003) - 0.014) < 1e-4


def test_a_late_loop_pauses_though_its_flushes_are_cheap() -> None:
    """Lateness alone says that the machine is full: then messages share writes."""
    assert pause_at_length(0.0001, 0.005) > 0.01


def test_the_pause_is_bounded() -> None:
    """However dear a flush, it adds no more than 25 ms."""
    assert pause_at_length(1.0) == LONGEST_PAUSE_S


def test_one_hiccup_does_not_slow_what_follows() -> None:
    """Both are smoothed: after one flush of 1 ms the next goes out at once."""
    pacing = Pacing()
    assert pacing.pause_after(0.001, 0.0) == 0.0
