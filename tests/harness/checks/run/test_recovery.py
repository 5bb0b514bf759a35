"""The effects of a fault and the recovery from it, from rows of one outage from 995 to 1,995 ms, with a message every
10 ms."""

from pathlib import Path

import numpy as np
import pytest

from harness.checks.evidence.sessions import NEVER
from harness.checks.run.recovery import Span, reconnections
from harness.model.measurements.recovery import AnswerCount, Reconnections
from harness.recording import format as layout
from tests.harness.checks.evidence.gathered import gathered
from tests.harness.checks.run.outages import broken, recovered, session
from tests.harness.recordings import MS, START_NS, HandMade, measured


def test_a_span_holds_its_begin_and_not_its_end() -> None:
    """A span that never ends holds all times from its begin on."""
    at_ns = np.array([9, 10, 19, 20])
    assert Span(begin_ns=10, end_ns=20).holds(at_ns).tolist() == [False, True, True, False]
    assert Span(begin_ns=10, end_ns=20).ended
    lasting = Span(begin_ns=10, end_ns=NEVER)
    assert lasting.holds(at_ns).tolist() == [False, True, True, True]
    assert not lasting.ended


def test_a_run_without_a_fault_has_no_recovery(run: HandMade, tmp_path: Path) -> None:
    assert measured(run.verdict(tmp_path)).recovery is None


def test_posts_are_counted_before_during_and_after(tmp_path: Path) -> None:
    """Posts are counted by intended time: messages 0 to 99, 100 to 199, 200 to 299. During the outage one post is
    refused, which is no acknowledgement, and one is never answered."""
    run = broken()
    run.posts[150].outcome = layout.REJECTED
    run.posts[160].outcome = layout.INDETERMINATE
    posts = recovered(run.verdict(tmp_path)).posts
    counts = [
        (part.posted, part.acknowledged, part.rejected, part.indeterminate, part.ack_p99_ms)
        for part in (posts.before, posts.during, posts.after)
    ]
    assert counts == [(100, 100, 0, 0, 3.0), (100, 98, 1, 1, 3.0), (100, 100, 0, 0, 3.0)]


def test_errors_are_told_by_answer_with_the_first_and_the_last(tmp_path: Path) -> None:
    """Messages 150 and 170 were due at 1.5 and 1.7 s. A post without an answer has no status."""
    run = broken()
    for message, outcome in ((150, layout.REJECTED), (160, layout.REJECTED), (170, layout.INDETERMINATE)):
        run.posts[message].outcome = outcome
    run.statuses = {150: 503, 160: 503}
    found = recovered(run.verdict(tmp_path))
    assert (found.first_error_s, found.last_error_s) == (1.5, 1.7)
    assert found.errors == (AnswerCount(http_status=None, posts=1), AnswerCount(http_status=503, posts=2))


def test_without_an_error_there_is_no_first_one(tmp_path: Path) -> None:
    found = recovered(broken().verdict(tmp_path))
    assert (found.first_error_s, found.last_error_s, found.errors) == (None, None, ())


def test_a_server_says_when_it_noticed_and_when_it_was_back(tmp_path: Path) -> None:
    """The server was down at 996 ms, 1 ms after the begin, and subscribed at 1,997 ms, 2 ms after the end. It read 100
    messages from the database, the last one, due at 1,990 ms, at 2,012.5 ms."""
    for server in recovered(broken().verdict(tmp_path)).servers:
        assert (server.detected_s, server.resubscribed_s, server.recovered) == (0.001, 0.002, 100)
        assert server.backfilled_s == pytest.approx(0.0175, abs=0.0006)


def test_a_server_that_noticed_nothing_has_no_times(tmp_path: Path) -> None:
    """The server subscribed before the outage and never again."""
    run = broken()
    run.backplane = {server: [(layout.SUBSCRIBED, -4.0)] for server in range(2)}
    for server in recovered(run.verdict(tmp_path)).servers:
        assert (server.detected_s, server.resubscribed_s) == (None, None)


@pytest.mark.parametrize(
    ("events", "told"),
    [
        ([], None),
        ([{"event": "rebroadcast", "at_ns": 1}], (None, None)),
        (
            [
                {"event": "rebroadcast", "at_ns": 1},
                {"event": "rebroadcast-done", "at_ns": 2, "servers": {"server-1": 3, "server-2": 4}},
            ],
            ("answered", 7),
        ),
        ([{"event": "rebroadcast", "at_ns": 1}, {"event": "rebroadcast-done", "at_ns": 2}], ("answered", 0)),
    ],
)
def test_a_rebroadcast_is_asked_for_and_perhaps_answered(
    tmp_path: Path, events: list[dict[str, object]], told: tuple[object, object] | None
) -> None:
    """The messages of all servers are summed."""
    run = broken()
    run.events = events
    found = recovered(run.verdict(tmp_path)).rebroadcast
    if told is None:
        assert found is None
        return
    assert found is not None
    assert (None if found.answered_s is None else "answered", found.messages) == told


def test_an_outage_that_never_ended_has_no_way_back(tmp_path: Path) -> None:
    """The time of detection is known. Times after the end of the outage are not, because it never ended."""
    run = broken()
    run.outage_ms = None
    fault = {"fault": 0, "what": "break it"}
    run.events += [
        {"event": "fault", "at_ns": START_NS + 995 * MS, **fault},
        {"event": "fault-done", "at_ns": START_NS + 995 * MS + 1, **fault},
    ]
    found = recovered(run.verdict(tmp_path))
    assert found.backfilled_s is None
    assert (found.posts.during.posted, found.posts.after.posted) == (200, 0)
    assert [(one.detected_s, one.resubscribed_s, one.backfilled_s) for one in found.servers] == [
        (0.001, None, None)
    ] * 2


def test_a_server_whose_clock_is_not_known_has_counts_and_no_times(tmp_path: Path) -> None:
    """Times are given in milliseconds: a bound of 1 ms is close enough, a bound of 2 ms is not."""
    run = broken()
    run.clock_offsets_ns, run.clock_bounds_ns = {1: 0}, {1: 2 * MS}
    first, second = recovered(run.verdict(tmp_path)).servers
    assert (first.detected_s, first.recovered) == (0.001, 100)
    assert (second.detected_s, second.resubscribed_s, second.backfilled_s, second.recovered) == (None, None, None, 100)
    run.clock_bounds_ns = {1: MS}
    assert recovered(run.verdict(tmp_path)).servers[1].detected_s == 0.001


def test_a_server_without_a_trace_has_neither(tmp_path: Path) -> None:
    """The server is still named."""
    run = broken()
    run.traced, run.backplane = False, {}
    first, _ = recovered(run.verdict(tmp_path)).servers
    assert first.name == "server-1"
    assert (first.detected_s, first.resubscribed_s, first.backfilled_s, first.recovered) == (None, None, None, None)


def test_the_last_subscription_after_the_fault_counts(tmp_path: Path) -> None:
    """A server that lost the broker again was back later, 250 ms after the end of the outage. A loss before the outage
    does not count."""
    run = broken()
    early = [(layout.DOWN, 100.0), (layout.UP, 110.0), (layout.SUBSCRIBED, 111.0)]
    again = [(layout.DOWN, 2_100.0), (layout.UP, 2_200.0), (layout.SUBSCRIBED, 2_245.0)]
    rows = run.backplane[0]
    run.backplane[0] = [*rows[:2], *early, *rows[2:], *again]
    first, _ = recovered(run.verdict(tmp_path)).servers
    assert (first.detected_s, first.resubscribed_s) == (0.001, 0.25)


def test_clients_count_once_and_gaps_last_until_the_next_subscription(tmp_path: Path) -> None:
    """Client 0 was away for 100 and for 300 ms. Client 1 was away for 200 ms; its connection without a subscription
    lies within this gap. Client 2 was never away."""
    run = HandMade(clients=3, audience=3)
    for _ in range(200):
        run.post(0)
    in_vain = (1, 1, 1006, START_NS + 450 * MS, 0, 0, START_NS + 500 * MS)
    run.sessions = [
        session(0, subscribed_ms=-1_000, ended_ms=400),
        session(0, subscribed_ms=500, ended_ms=700),
        session(0, subscribed_ms=1_000, ended_ms=9_000_000, close_code=1000),
        session(1, subscribed_ms=-1_000, ended_ms=400),
        in_vain,
        session(1, subscribed_ms=600, ended_ms=9_000_000, close_code=1000),
        session(2, subscribed_ms=-1_000, ended_ms=9_000_000, close_code=1000),
    ]
    found = reconnections(gathered(run, tmp_path))
    assert found == Reconnections(clients=2, p50_s=0.2, p99_s=0.3, last_s=0.3)
    run.sessions = run.sessions[-1:]
    assert reconnections(gathered(run, tmp_path)) == Reconnections(clients=0)
