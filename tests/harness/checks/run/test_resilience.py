"""Checks of runs in which something was broken on purpose, each turned red by what it guards against."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from harness.model.expectation import Expectation
from harness.model.fault import Fault, FaultKind, Moment, Target, Unit
from harness.model.finding import Status, Verdict
from harness.model.measurements.recovery import AnswerCount, Reconnections, Recovery
from harness.recording import format as layout
from tests.harness.recordings import MS, START_NS, HandMade, finding, measured, red

OUTAGE_MS = (995.0, 1995.0)
SUBSCRIBED_AGAIN = [(layout.UP, -5.0), (layout.SUBSCRIBED, -4.0), (layout.DOWN, 996.0), (layout.UP, 1996.0)]

HIT = {
    Target.BROKER: ("broker",),
    Target.DATABASE: ("database",),
    Target.SERVER: ("server-1",),
    Target.SERVERS: ("server-1", "server-2"),
    Target.CLIENTS: ("client-0",),
}


def broken(
    target: Target = Target.BROKER, kind: FaultKind = FaultKind.STOP, *parts: str, recovery: str = "automatic"
) -> HandMade:
    """Three seconds of 100 messages/s, the second of them with something broken; nothing was lost."""
    until = Moment(unit=Unit.AFTER, value=1)
    fault = Fault(
        kind=kind, target=target, at=Moment(unit=Unit.SECOND, value=1), until=until, parts=parts or HIT[target]
    )
    wish = Expectation(measure="live_latency_ms", statistic="p99", limit_ms=100)
    made = HandMade(
        clients=2,
        outage_ms=OUTAGE_MS,
        changes={"faults": (fault,), "recovery": recovery, "expectations": (wish,)},
        backplane={server: [*SUBSCRIBED_AGAIN, (layout.SUBSCRIBED, 1997.0)] for server in range(2)},
    )
    for message in range(300):
        away = target is Target.BROKER and 100 <= message < 200
        made.post(latency_ms=150 if away else 5)
        if away:
            made.recovered.add(message)
    return made


def lasting(seconds: int, target: Target = Target.BROKER, kind: FaultKind = FaultKind.STOP, *parts: str) -> HandMade:
    """Four seconds, then an outage of so many seconds, then one more second; nothing was lost."""
    made = broken(target, kind, *parts)
    end_ms = 3_995.0 + 1_000 * seconds
    made.outage_ms = (3_995.0, end_ms)
    for rows in made.backplane.values():
        rows[2:] = [(layout.DOWN, 3_996.0), (layout.UP, end_ms + 1), (layout.SUBSCRIBED, end_ms + 2)]
    made.posts, made.deliveries, made.frames, made.recovered = [], [], [], set()
    for message in range(500 + 100 * seconds):
        away = target is Target.BROKER and 400 <= message < 400 + 100 * seconds
        made.post(latency_ms=150 if away else 5)
        if away:
            made.recovered.add(message)
    return made


def recovered(verdict: Verdict) -> Recovery:
    found = measured(verdict).recovery
    assert found is not None
    return found


def value(verdict: Verdict, check: str, name: str) -> object:
    """One of the values that a finding measured."""
    found = finding(verdict, check).measured
    assert isinstance(found, Mapping)
    return found[name]


def test_an_outage_that_is_borne_has_no_red_check(tmp_path: Path) -> None:
    """Everything recovered, acknowledged as fast as before: PASS, with two latency series that hide nothing."""
    verdict = broken().verdict(tmp_path)
    assert red(verdict) == set()
    for check in ("fault-injected", "resubscribed", "backfilled", "ledger", "lost", "interruptions", "placement"):
        assert finding(verdict, check).status is Status.PASS, check
    figures, recovery = measured(verdict), recovered(verdict)
    assert figures.live_latency is not None
    assert figures.recovered_latency is not None
    assert (figures.live_latency.count, figures.recovered_latency.count) == (400, 200)
    assert (figures.live_latency.p99_ms, figures.recovered_latency.p50_ms) == (5, 150)
    first = recovery.servers[0]
    assert (first.name, first.detected_s, first.resubscribed_s, first.recovered) == ("server-1", 0.001, 0.002, 100)
    assert first.backfilled_s == pytest.approx(0.018, abs=0.001)
    assert recovery.posts.during.acknowledged == 100
    assert {"live_latency", "recovered_latency", "acknowledgement"} <= set(verdict.series)


def test_late_deliveries_outside_the_outage_are_live(tmp_path: Path) -> None:
    """A server that reads from the database all the time cannot hide its lateness among the recovered."""
    run = broken()
    for _ in range(150):
        run.post(latency_ms=5)
    for message in range(800):
        late = message % 10 == 0
        number = run.post(latency_ms=150 if late else 5)
        run.recovered |= {number} if late else set()
    verdict = run.verdict(tmp_path)
    assert red(verdict) == {"live_latency_ms.p99"}
    held_up = measured(verdict).recovered_latency
    assert held_up is not None
    assert held_up.count == 200


def test_slow_acknowledgements_during_the_outage_are_red(tmp_path: Path) -> None:
    """Redis away must slow no acknowledgement."""
    run = lasting(6)
    assert finding(run.verdict(tmp_path), "ack-during-outage").status is Status.PASS
    for second in range(4, 10):
        for post in run.posts[second * 100 : second * 100 + 10]:
            post.answered_ns += 40 * MS
    verdict = run.verdict(tmp_path)
    assert red(verdict) == {"ack-during-outage"}
    assert value(verdict, "ack-during-outage", "during_p99_ms") == 43


@pytest.mark.parametrize("late", [0, 2, 100])
@pytest.mark.parametrize("posts", [1, 100])
def test_too_few_posts_decide_nothing(tmp_path: Path, late: int, posts: int) -> None:
    """Of the posts of a short outage none, two or all are late: neither PASS nor FAIL, and the number that is needed."""
    run = broken()
    run.outage_ms = (995.0, 995.0 + 10 * posts)
    for post in run.posts[100 : 100 + min(late, posts)]:
        post.answered_ns += 6 * MS
    found = finding(run.verdict(tmp_path), "ack-during-outage")
    assert found.status is Status.UNKNOWN
    assert f"of {posts} during it; a P99 needs 299" in found.summary


def test_an_outage_without_an_interval_cannot_fail(tmp_path: Path) -> None:
    """Three slow seconds may be a hiccup; they pass where they are fast."""
    run = lasting(3)
    assert finding(run.verdict(tmp_path), "ack-during-outage").status is Status.PASS
    for post in run.posts[400:700:5]:
        post.answered_ns += 40 * MS
    found = finding(run.verdict(tmp_path), "ack-during-outage")
    assert found.status is Status.UNKNOWN
    assert "too few for an interval" in found.summary


def test_a_rejected_post_while_redis_is_away_is_red(tmp_path: Path) -> None:
    """Redis excuses nothing: every post of its outage must be acknowledged."""
    run = broken()
    run.posts[150].outcome, run.posts[150].stored = layout.REJECTED, False
    assert "ledger" in red(run.verdict(tmp_path))


@pytest.mark.parametrize("rows", [SUBSCRIBED_AGAIN, SUBSCRIBED_AGAIN[:3], SUBSCRIBED_AGAIN[:1]])
def test_a_server_that_stays_deaf_is_red(tmp_path: Path, rows: list[tuple[int, float]]) -> None:
    """Connected again but not subscribed, or not even connected: it looks alive and hears nothing."""
    run = broken()
    run.backplane[1] = rows
    verdict = run.verdict(tmp_path)
    assert red(verdict) == {"resubscribed"}
    assert "server-2" in finding(verdict, "resubscribed").summary


def test_a_server_that_never_noticed_is_red(tmp_path: Path) -> None:
    """A stopped Redis cuts every connection; whoever does not notice will not recover either."""
    run = broken()
    run.backplane[0] = SUBSCRIBED_AGAIN[:2]
    assert red(run.verdict(tmp_path)) == {"resubscribed"}


@pytest.mark.parametrize("rows", [[], [(layout.UP, 1996.0)]])
def test_a_server_that_was_started_again_and_never_subscribed_is_red(
    tmp_path: Path, rows: list[tuple[int, float]]
) -> None:
    """Its trace begins anew, so that it shows no loss of the connection: it is asked for the subscription."""
    run = broken(Target.SERVER, FaultKind.KILL, "server-1")
    run.sessions = [session(0, ended_ms=1000, subscribed_ms=-10), (1, 0)]
    run.sessions.append(session(0, ended_ms=900_000, subscribed_ms=1_300, close_code=1000))
    assert red(run.verdict(tmp_path)) == set()
    run.backplane[0] = rows
    verdict = run.verdict(tmp_path)
    assert red(verdict) == {"resubscribed"}
    assert "server-1 never subscribed" in finding(verdict, "resubscribed").summary


def test_a_missing_trace_hides_no_deaf_server(tmp_path: Path) -> None:
    """Of two servers one is deaf and the other recorded nothing: FAIL. Where the first is well: UNKNOWN."""
    run = broken()
    del run.backplane[1]
    assert finding(run.verdict(tmp_path), "resubscribed").status is Status.UNKNOWN
    run.backplane[0] = SUBSCRIBED_AGAIN
    assert red(run.verdict(tmp_path)) == {"resubscribed"}


def test_a_backfill_that_takes_too_long_is_red(tmp_path: Path) -> None:
    """Recovered, but more than ten seconds after the broken part was back."""
    run = broken()
    client, frame, _ = run.deliveries[250]
    assert run.frames[frame][0] in run.recovered
    del run.deliveries[250]
    run.deliveries.append((client, frame, START_NS + int((OUTAGE_MS[1] + 11_000) * MS)))
    assert "backfilled" in red(run.verdict(tmp_path))


def test_a_fault_that_was_not_undone_proves_nothing(tmp_path: Path) -> None:
    """Without the second half of the story the verdict is open."""
    run = broken()
    run.outage_ms = None
    verdict = run.verdict(tmp_path)
    assert finding(verdict, "fault-injected").status is Status.UNKNOWN
    assert verdict.status is Status.UNKNOWN


def test_filling_in_before_anybody_asked_is_red(tmp_path: Path) -> None:
    """Manual recovery waits for the request."""
    run = broken(recovery="manual")
    asked = START_NS + 3_000 * MS
    run.events = [
        {"event": "rebroadcast", "at_ns": asked},
        {"event": "rebroadcast-done", "at_ns": asked + MS, "servers": {"server-1": 100}},
    ]
    verdict = run.verdict(tmp_path)
    assert red(verdict) == {"filled-on-request"}
    assert finding(verdict, "filled-on-request").measured == 200


def refused(run: HandMade, first: int, end: int, *, status: int = 503, after_ms: float = 10) -> None:
    """These posts were refused, stored nowhere and delivered to nobody."""
    gone = set(range(first, end))
    for message in gone:
        post = run.posts[message]
        post.outcome, post.stored = layout.REJECTED, False
        post.answered_ns = run.due_ns(message) + int(after_ms * MS)
        run.statuses[message] = status
    run.deliveries = [row for row in run.deliveries if run.frames[row[1]][0] not in gone]
    run.unpublished |= gone
    for message, post in enumerate(run.posts):
        post.seq = post.acknowledged_seq = 1 + message - sum(other < message for other in gone)
    run.frames = [(m, c, run.posts[m].seq, flaw) for m, c, _, flaw in run.frames]


def test_posts_refused_without_the_database_are_in_order(tmp_path: Path) -> None:
    """Within the outage of PostgreSQL a refusal is the right answer."""
    run = broken(Target.DATABASE)
    refused(run, 100, 200)
    verdict = run.verdict(tmp_path)
    assert red(verdict) == set()
    assert finding(verdict, "clean-refusal").status is Status.PASS
    assert value(verdict, "ledger", "rejected") == 100
    assert recovered(verdict).errors == (AnswerCount(http_status=503, posts=100),)


def test_an_outage_in_which_nothing_was_refused_shows_no_clean_refusal(tmp_path: Path) -> None:
    """Every post waited and was acknowledged: how a refusal looks is not known. Nor is it where posts were never sent."""
    run = broken(Target.DATABASE)
    assert finding(run.verdict(tmp_path), "clean-refusal").status is Status.UNKNOWN
    refused(run, 150, 151)
    run.posts[150].outcome = layout.UNSENT
    assert finding(run.verdict(tmp_path), "clean-refusal").status is Status.UNKNOWN


def test_posts_refused_after_the_database_is_back_are_red(tmp_path: Path) -> None:
    """The service goes on by itself."""
    run = broken(Target.DATABASE)
    for _ in range(300):
        run.post()
    refused(run, 100, 500)
    assert red(run.verdict(tmp_path)) == {"ledger"}


@pytest.mark.parametrize(("status", "after_ms"), [(0, 10.0), (503, 12_000.0)])
def test_posts_that_hang_are_red(tmp_path: Path, status: int, after_ms: float) -> None:
    """A refusal is an answer, and comes within a bounded time."""
    run = broken(Target.DATABASE)
    refused(run, 150, 151, status=status, after_ms=after_ms)
    assert red(run.verdict(tmp_path)) == {"clean-refusal"}


def session(
    client: int, *, ended_ms: float, subscribed_ms: float, position: int = 0, close_code: int = 1006
) -> tuple[int, ...]:
    subscribed = START_NS + int(subscribed_ms * MS) if subscribed_ms is not None else 0
    return (client, 0, close_code, subscribed - 1, subscribed, position, START_NS + int(ended_ms * MS))


def test_a_client_that_does_not_come_back_is_red(tmp_path: Path) -> None:
    """Its server was killed; it connected again, but never subscribed."""
    run = broken(Target.SERVER, FaultKind.KILL, "server-1")
    run.sessions = [session(0, ended_ms=1000, subscribed_ms=-10), (1, 0)]
    run.sessions.append((0, 1, 1000, START_NS, 0, 0, START_NS + 5_000 * MS))
    verdict = run.verdict(tmp_path)
    assert "reconnected" in red(verdict)
    del run.sessions[-1]
    assert "reconnected" in red(run.verdict(tmp_path)), "it never even connected again"
    run.sessions.append(session(0, ended_ms=3_600_000, subscribed_ms=1_300, close_code=1000))
    verdict = run.verdict(tmp_path)
    assert red(verdict) == set()
    assert recovered(verdict).reconnected == Reconnections(clients=1, p50_s=0.3, p99_s=0.3, last_s=0.3)


def slowed(run: HandMade, first: int, end: int) -> None:
    """The client that reads got these messages 30 ms later."""
    run.deliveries = [
        (client, frame, at_ns + (30 * MS if client and first <= frame < end else 0))
        for client, frame, at_ns in run.deliveries
    ]


def test_a_server_that_ended_without_cutting_a_connection_proves_no_resume(tmp_path: Path) -> None:
    """That clients come back is known only where some were away."""
    run = broken(Target.SERVER, FaultKind.KILL, "server-1")
    assert finding(run.verdict(tmp_path), "reconnected").status is Status.UNKNOWN


def test_a_client_that_the_server_sent_away_for_good_is_red(tmp_path: Path) -> None:
    """The server closed with the code that the load worker uses at the end; the time tells them apart."""
    run = broken(Target.SERVER, FaultKind.KILL, "server-1")
    run.sessions = [session(0, ended_ms=1000, subscribed_ms=-10, close_code=1000), (1, 0)]
    run.events.append({"event": "drained", "at_ns": START_NS + 5_000 * MS, "complete": True})
    assert "reconnected" in red(run.verdict(tmp_path))


def test_bystanders_that_suffer_are_red(tmp_path: Path) -> None:
    """A client that reads nothing must not slow the others."""
    run = lasting(7, Target.CLIENTS, FaultKind.PAUSE, "client-0")
    assert finding(run.verdict(tmp_path), "bystanders").status is Status.PASS
    slowed(run, 400, 1100)
    assert red(run.verdict(tmp_path)) == {"bystanders"}


def test_few_messages_to_many_bystanders_decide_nothing(tmp_path: Path) -> None:
    """Deliveries of one message share their fate: messages count."""
    run = broken(Target.CLIENTS, FaultKind.PAUSE, "client-0")
    run.outage_ms = (1000.0, 2000.0)
    slowed(run, 100, 200)
    found = finding(run.verdict(tmp_path), "bystanders")
    assert found.status is Status.UNKNOWN
    assert "299" in found.summary


@pytest.mark.parametrize(("until", "status"), [(1100, Status.PASS), (600, Status.FAIL)])
def test_a_machine_that_slows_down_is_no_deaf_clients_doing(tmp_path: Path, until: int, status: Status) -> None:
    """Slow long after the outage as well, against slow in the outage alone, which is the first of eleven seconds."""
    run = lasting(6, Target.CLIENTS, FaultKind.PAUSE, "client-0")
    run.outage_ms = (0.0, 6_000.0)
    slowed(run, 0, until)
    verdict = run.verdict(tmp_path)
    assert finding(verdict, "bystanders").status is status
    assert value(verdict, "bystanders", "during_p99_ms") == 35


def grow(run: HandMade, rss: float) -> Any:
    """The run's recording with servers whose memory grows to ``rss`` in the end."""
    import dataclasses
    from unittest import mock

    plain = HandMade.recording

    def grown(self: HandMade, folder: Path) -> Any:
        recording = plain(self, folder)
        first, last = recording.telemetry
        names = {"server-1": {"cpu_s": 0.0, "rss_bytes": rss}}
        last = {**last, "at_ns": START_NS + 1_500 * MS, "processes": {**last["processes"], **names}}
        first = {**first, "at_ns": START_NS}
        return dataclasses.replace(recording, telemetry=(first, last))

    return mock.patch.object(HandMade, "recording", grown)


def test_deaf_clients_that_cost_memory_without_bound_are_red(tmp_path: Path) -> None:
    """What waits for one that reads nothing is bounded."""
    run = broken(Target.CLIENTS, FaultKind.PAUSE, "client-0")
    with grow(run, 60e6):
        assert finding(run.verdict(tmp_path), "bounded-memory").status is Status.PASS
    with grow(run, 80e6):
        assert "bounded-memory" in red(run.verdict(tmp_path))


@pytest.mark.parametrize(
    ("slow_seconds", "status"), [((), Status.PASS), ((6,), Status.UNKNOWN), ((4, 5, 6, 7, 8, 9), Status.FAIL)]
)
def test_a_hiccup_decides_nothing(tmp_path: Path, slow_seconds: tuple[int, ...], status: Status) -> None:
    """In an outage of many seconds one bad one leaves the question open; a slowness in each of them is a failure."""
    run = lasting(7)
    for second in slow_seconds:
        for post in run.posts[second * 100 : second * 100 + 10]:
            post.answered_ns += 40 * MS
    assert finding(run.verdict(tmp_path), "ack-during-outage").status is status
