"""A drain is quiet while no new pair arrives and every load worker reports."""

import pytest

from harness.load.quiet import Quiet
from harness.model.drain import DrainEnd


def test_it_lasts_from_the_last_new_pair() -> None:
    """Reports without a new pair make the quiet time longer. A new pair ends it."""
    quiet = Quiet(5.0)
    for tenth in range(31):
        quiet.look(tenth / 10, reached=min(tenth, 10), reports=[tenth, tenth], unsubscribed=0)
    assert quiet.lasts_s == pytest.approx(2.0)
    quiet.look(3.1, reached=11, reports=[32, 32], unsubscribed=0)
    assert quiet.lasts_s == 0


def test_a_worker_that_does_not_report_is_not_quiet() -> None:
    """One of two load workers is stalled for 8 s. It may have deliveries that it has not read yet."""
    quiet = Quiet(5.0)
    for tenth in range(81):
        quiet.look(tenth / 10, reached=7, reports=[tenth, 1], unsubscribed=0)
    assert quiet.lasts_s == 0
    for tenth in range(81, 140):
        quiet.look(tenth / 10, reached=7, reports=[tenth, tenth], unsubscribed=0)
    assert quiet.lasts_s == pytest.approx(5.9)


def test_quiet_begins_anew_when_the_last_client_is_subscribed() -> None:
    """A client comes back after 4 s without a new delivery. The server sends the missed messages only from then on."""
    quiet = Quiet(5.0)
    for tenth in range(61):
        quiet.look(tenth / 10, reached=7, reports=[tenth], unsubscribed=int(tenth < 40))
    assert quiet.lasts_s == pytest.approx(6.0)
    assert quiet.settled_s == pytest.approx(2.1)


def test_the_rate_is_that_of_the_last_seconds() -> None:
    """1,000 pairs a second and then none for a second: the mean of the last five seconds is 800."""
    quiet = Quiet(5.0)
    for tenth in range(101):
        quiet.look(tenth / 10, reached=min(tenth, 90) * 100, reports=[tenth], unsubscribed=0)
    found = quiet.drained(DrainEnd.CUT_OFF, 3)
    assert (found.how, found.deliveries_hz, found.unsubscribed) == ("cut-off", 800.0, 3)
    assert found.quiet_s == pytest.approx(1.0)
