"""Checks of runs with a planned fault, each turned red by the error that it looks for."""

from pathlib import Path

import pytest

from harness.model.fault import FaultKind, Target
from harness.model.finding import Status
from harness.recording import format as layout
from tests.harness.checks.run.outages import OUTAGE_MS, SUBSCRIBED_AGAIN, broken, lasting, recovered, session, value
from tests.harness.recordings import MS, START_NS, finding, measured, red


def test_an_outage_that_is_borne_has_no_red_check(tmp_path: Path) -> None:
    """All messages were recovered and acknowledged as fast as before: PASS, with the live and the recovered latency."""
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
    """A server that always reads from the database cannot hide late deliveries among the recovered ones."""
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
    """An outage of Redis must not slow down acknowledgements."""
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
    """None, two or all posts of a short outage are late. The check neither passes nor fails, and it names the number of
    posts that a P99 needs."""
    run = broken()
    run.outage_ms = (995.0, 995.0 + 10 * posts)
    for post in run.posts[100 : 100 + min(late, posts)]:
        post.answered_ns += 6 * MS
    found = finding(run.verdict(tmp_path), "ack-during-outage")
    assert found.status is Status.UNKNOWN
    assert f"of {posts} during it; a P99 needs 299" in found.summary


def test_an_outage_without_an_interval_cannot_fail(tmp_path: Path) -> None:
    """Three slow seconds may be chance. Three fast seconds pass."""
    run = lasting(3)
    assert finding(run.verdict(tmp_path), "ack-during-outage").status is Status.PASS
    for post in run.posts[400:700:5]:
        post.answered_ns += 40 * MS
    found = finding(run.verdict(tmp_path), "ack-during-outage")
    assert found.status is Status.UNKNOWN
    assert "too few for an interval" in found.summary


def test_a_rejected_post_while_redis_is_away_is_red(tmp_path: Path) -> None:
    """An outage of Redis excuses no rejection: every post must be acknowledged."""
    run = broken()
    run.posts[150].outcome, run.posts[150].stored = layout.REJECTED, False
    assert "ledger" in red(run.verdict(tmp_path))


@pytest.mark.parametrize("rows", [SUBSCRIBED_AGAIN, SUBSCRIBED_AGAIN[:3], SUBSCRIBED_AGAIN[:1]])
def test_a_server_that_never_subscribes_again_is_red(tmp_path: Path, rows: list[tuple[int, float]]) -> None:
    """The server connected again but did not subscribe, or it did not connect again. It looks alive but receives
    nothing."""
    run = broken()
    run.backplane[1] = rows
    verdict = run.verdict(tmp_path)
    assert red(verdict) == {"resubscribed"}
    assert "server-2" in finding(verdict, "resubscribed").summary


def test_a_server_that_never_noticed_is_red(tmp_path: Path) -> None:
    """A stopped Redis cuts every connection. A server that does not notice this will not recover."""
    run = broken()
    run.backplane[0] = SUBSCRIBED_AGAIN[:2]
    assert red(run.verdict(tmp_path)) == {"resubscribed"}


@pytest.mark.parametrize("rows", [[], [(layout.UP, 1996.0)]])
def test_a_server_that_was_started_again_and_never_subscribed_is_red(
    tmp_path: Path, rows: list[tuple[int, float]]
) -> None:
    """The trace of the server begins anew, so it shows no loss of the connection. The check requires a subscription."""
    run = broken(Target.SERVER, FaultKind.KILL, "server-1")
    run.sessions = [session(0, ended_ms=1000, subscribed_ms=-10), (1, 0)]
    run.sessions.append(session(0, ended_ms=900_000, subscribed_ms=1_300, close_code=1000))
    assert red(run.verdict(tmp_path)) == set()
    run.backplane[0] = rows
    verdict = run.verdict(tmp_path)
    assert red(verdict) == {"resubscribed"}
    assert "server-1 never subscribed" in finding(verdict, "resubscribed").summary


def test_a_missing_trace_hides_no_server_without_a_subscription(tmp_path: Path) -> None:
    """One of two servers has no trace. The check fails if the other server did not subscribe again, and is UNKNOWN if
    it did."""
    run = broken()
    del run.backplane[1]
    assert finding(run.verdict(tmp_path), "resubscribed").status is Status.UNKNOWN
    run.backplane[0] = SUBSCRIBED_AGAIN
    assert red(run.verdict(tmp_path)) == {"resubscribed"}


def test_a_backfill_that_takes_too_long_is_red(tmp_path: Path) -> None:
    """A message was recovered, but more than ten seconds after the broken part was back."""
    run = broken()
    client, frame, _ = run.deliveries[250]
    assert run.frames[frame][0] in run.recovered
    del run.deliveries[250]
    run.deliveries.append((client, frame, START_NS + int((OUTAGE_MS[1] + 11_000) * MS)))
    assert "backfilled" in red(run.verdict(tmp_path))


def test_a_fault_that_was_not_undone_proves_nothing(tmp_path: Path) -> None:
    """A fault that was not healed leaves the verdict undecided."""
    run = broken()
    run.outage_ms = None
    verdict = run.verdict(tmp_path)
    assert finding(verdict, "fault-injected").status is Status.UNKNOWN
    assert verdict.status is Status.UNKNOWN


def test_filling_in_before_the_request_is_red(tmp_path: Path) -> None:
    """With manual recovery the servers must wait for the request."""
    run = broken(recovery="manual")
    asked = START_NS + 3_000 * MS
    run.events = [
        {"event": "rebroadcast", "at_ns": asked},
        {"event": "rebroadcast-done", "at_ns": asked + MS, "servers": {"server-1": 100}},
    ]
    verdict = run.verdict(tmp_path)
    assert red(verdict) == {"filled-on-request"}
    assert finding(verdict, "filled-on-request").measured == 200


@pytest.mark.parametrize(
    ("slow_seconds", "status"), [((), Status.PASS), ((6,), Status.UNKNOWN), ((4, 5, 6, 7, 8, 9), Status.FAIL)]
)
def test_a_hiccup_decides_nothing(tmp_path: Path, slow_seconds: tuple[int, ...], status: Status) -> None:
    """One slow second in an outage of many seconds leaves the check undecided. Slow posts in each second are a
    failure."""
    run = lasting(7)
    for second in slow_seconds:
        for post in run.posts[second * 100 : second * 100 + 10]:
            post.answered_ns += 40 * MS
    assert finding(run.verdict(tmp_path), "ack-during-outage").status is status


@pytest.mark.parametrize(("backplane", "status"), [("mesh", Status.PASS), ("memory", Status.UNKNOWN)])
def test_servers_that_are_linked_subscribe_again_without_a_broker(
    tmp_path: Path, backplane: str, status: Status
) -> None:
    """Links to other servers are lost and made again like links to a broker. Within one process there are no links."""
    run = broken(Target.SERVER, FaultKind.KILL)
    run.changes = {**run.changes, "backplane": backplane}
    assert finding(run.verdict(tmp_path), "resubscribed").status is status


def test_a_server_that_does_not_notice_that_its_link_is_cut_is_red(tmp_path: Path) -> None:
    """Only the server at the end of that link is checked. A link that is only silent may be back before the server
    notices."""
    unaware = SUBSCRIBED_AGAIN[:2]
    for kind, server, expected in (
        (FaultKind.KILL, 0, {"resubscribed"}),
        (FaultKind.KILL, 1, set()),
        (FaultKind.PAUSE, 0, set()),
    ):
        run = broken(Target.LINK, kind)
        run.changes = {**run.changes, "backplane": "postgres-notify"}
        run.backplane[server] = unaware
        assert red(run.verdict(tmp_path / f"{kind}-{server}")) == expected


def test_a_broken_link_slows_no_acknowledgement(tmp_path: Path) -> None:
    """The checks of a broken broker apply to a broken link too. Messages that had to pass the link may be late."""
    run = broken(Target.LINK, FaultKind.PAUSE)
    run.changes = {**run.changes, "backplane": "postgres-notify"}
    verdict = run.verdict(tmp_path)
    assert {"ack-during-outage", "resubscribed", "backfilled"} <= {each.check for each in verdict.findings}
