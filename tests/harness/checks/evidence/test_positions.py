"""The positions at which subscriptions began: the one that the server names, and those that are possible."""

from pathlib import Path

import pytest

from tests.harness.recordings import MS, START_NS, HandMade, finding, measured, red

HOUR_NS = 3_600_000_000_000


def session(client: int, position: int, subscribed_ms: float, *, ahead_ns: int = 0) -> tuple[int, ...]:
    at_ns = START_NS + int(subscribed_ms * MS) + ahead_ns
    return (client, client % 2, 1000, at_ns - MS, at_ns, position, at_ns + HOUR_NS)


def late(position: int, subscribed_ms: float) -> HandMade:
    """Three messages, sent at 1, 11 and 21 ms. Client 1 subscribed late and received only the last one."""
    run = HandMade()
    for _ in range(2):
        run.post(0, to=[0])
    run.post(0)
    run.sessions = [session(0, 0, -10), session(1, position, subscribed_ms), (2, 0), (3, 0)]
    return run


def test_what_was_sent_before_the_confirmation_may_lie_behind_it(tmp_path: Path) -> None:
    """The first messages are not expected at a client that subscribed after them."""
    verdict = late(2, 15).verdict(tmp_path)
    assert red(verdict) == set()
    assert measured(verdict).delivery.measured.expected == 4


@pytest.mark.parametrize(("position", "subscribed_ms", "lost"), [(2, 5, 1), (2, -5, 2), (3, 15, 0), (9, 15, 0)])
def test_what_was_sent_after_the_confirmation_cannot(
    tmp_path: Path, position: int, subscribed_ms: float, lost: int
) -> None:
    """The server names an impossible position: that is a protocol violation. A missing message that was sent after the
    confirmation is lost, even if the named position covers it."""
    verdict = late(position, subscribed_ms).verdict(tmp_path)
    assert ("lost" in red(verdict), finding(verdict, "lost").measured) == (lost > 0, lost)
    assert "protocol-violations" in red(verdict)


def test_a_position_below_the_newest_claims_more(tmp_path: Path) -> None:
    """The server must deliver everything after the position that it named."""
    verdict = late(0, 15).verdict(tmp_path)
    assert red(verdict) == {"lost"}
    assert finding(verdict, "lost").measured == 2


def test_a_position_among_unknown_seqs_is_possible(tmp_path: Path) -> None:
    """Two posts without an answer had been sent, so a position of 2 is possible."""
    run = HandMade(audited=False)
    for _ in range(2):
        run.post(0, to=[], outcome=3, answered_ms=0)
    run.post(0, seq=3)
    run.sessions = [session(client, 2, 15) for client in (0, 1)] + [(2, 0), (3, 0)]
    assert "protocol-violations" not in red(run.verdict(tmp_path))
