"""Posts while the database is away."""

from pathlib import Path

import pytest

from harness.model.fault import Target
from harness.model.finding import Status
from harness.model.measurements.recovery import AnswerCount
from harness.recording import format as layout
from tests.harness.checks.run.outages import broken, recovered, value
from tests.harness.recordings import MS, HandMade, finding, red


def refused(run: HandMade, first: int, end: int, *, status: int = 503, after_ms: float = 10) -> None:
    """These posts were refused. Their messages are neither stored nor delivered."""
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
    """During an outage of PostgreSQL a refusal is the right answer."""
    run = broken(Target.DATABASE)
    refused(run, 100, 200)
    verdict = run.verdict(tmp_path)
    assert red(verdict) == set()
    assert finding(verdict, "clean-refusal").status is Status.PASS
    assert value(verdict, "ledger", "rejected") == 100
    assert recovered(verdict).errors == (AnswerCount(http_status=503, posts=100),)


def test_an_outage_in_which_nothing_was_refused_shows_no_clean_refusal(tmp_path: Path) -> None:
    """Every post waited and was acknowledged, so it is not known how the service refuses. The same holds if posts were
    never sent."""
    run = broken(Target.DATABASE)
    assert finding(run.verdict(tmp_path), "clean-refusal").status is Status.UNKNOWN
    refused(run, 150, 151)
    run.posts[150].outcome = layout.UNSENT
    assert finding(run.verdict(tmp_path), "clean-refusal").status is Status.UNKNOWN


def test_posts_refused_after_the_database_is_back_are_red(tmp_path: Path) -> None:
    """The service must continue without help."""
    run = broken(Target.DATABASE)
    for _ in range(300):
        run.post()
    refused(run, 100, 500)
    assert red(run.verdict(tmp_path)) == {"ledger"}


@pytest.mark.parametrize(("status", "after_ms"), [(0, 10.0), (503, 12_000.0)])
def test_posts_that_hang_are_red(tmp_path: Path, status: int, after_ms: float) -> None:
    """A refusal must be an answer, and must come within a limited time."""
    run = broken(Target.DATABASE)
    refused(run, 150, 151, status=status, after_ms=after_ms)
    assert red(run.verdict(tmp_path)) == {"clean-refusal"}


@pytest.mark.parametrize(("write_path", "found"), [("db-first", {"ledger"}), ("broker-first", set())])
def test_an_outage_of_the_broker_excuses_posts_only_where_they_need_it(
    tmp_path: Path, write_path: str, found: set[str]
) -> None:
    """A write path that commits first does not need the broker for a post. A write path that publishes first does."""
    run = broken(Target.BROKER)
    run.changes = {**run.changes, "write_path": write_path}
    refused(run, 120, 150)
    assert red(run.verdict(tmp_path)) == found
