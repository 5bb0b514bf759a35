from reference_server.pacing import LONGEST_PAUSE_S, Pacing


def settle(flush_s: float, lateness_s: float = 0.0) -> float:
    pacing = Pacing()
    for _ in range(50):
        pause_s = pacing.pause_after(flush_s, lateness_s)
    return pause_s


def test_a_quiet_server_never_pauses() -> None:
    """Flushes that cost less than a millisecond follow one another at once."""
    assert settle(0.0009) == 0.0


def test_a_busy_server_writes_a_third_of_the_time() -> None:
    """The pause is twice the cost: lateness of the loop counts as cost."""
    assert abs(settle(0.004) - 0.008) < 1e-4
    assert abs(settle(0.002, 0.002) - 0.008) < 1e-4


def test_the_pause_is_bounded() -> None:
    """However dear a flush, it adds no more than 25 ms."""
    assert settle(1.0) == LONGEST_PAUSE_S


def test_one_hiccup_does_not_slow_what_follows() -> None:
    """Cost is smoothed: after one slow flush of 4 ms the next goes out at once."""
    pacing = Pacing()
    assert pacing.pause_after(0.004, 0.0) == 0.0
