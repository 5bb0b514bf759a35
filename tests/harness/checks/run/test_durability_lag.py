"""Write paths that store after they deliver: the lag, the exposure, and the expected loss when a server is killed."""

from dataclasses import replace
from pathlib import Path

import pytest

from harness.model.fault import Fault, FaultKind, Moment, Target, Unit
from harness.model.finding import Status
from harness.model.measurements.claims import Outcome
from harness.model.measurements.durability import Durability
from tests.harness.checks.run.outages import broken
from tests.harness.recordings import MS, START_NS, HandMade, finding, measured, red

FROZEN_MS, KILLED_MS, BACK_MS = 995.0, 1_495.0, 1_995.0


def behind(write_path: str = "broker-first", *, lost: bool = True) -> HandMade:
    """Three seconds of 100 messages/s on two servers, stored 10 ms after their publication. The database is frozen from
    1 to 2 s, and server-2 is killed at 1.5 s. Its 25 messages in between are delivered, but not stored."""
    run = broken(Target.DATABASE, FaultKind.PAUSE)
    kill = Fault(
        kind=FaultKind.KILL,
        target=Target.SERVER,
        at=Moment(unit=Unit.SECOND, value=1.5),
        until=Moment(unit=Unit.AFTER, value=0.5),
        parts=("server-2",),
    )
    run.changes |= {"write_path": write_path, "faults": (*run.changes["faults"], kill)}
    times = {"fault": KILLED_MS, "fault-done": KILLED_MS, "heal": BACK_MS, "heal-done": BACK_MS}
    run.events += [
        {"event": word, "fault": 1, "what": "kill server-2", "at_ns": START_NS + int(ms * MS)}
        for word, ms in times.items()
    ]
    for message, post in enumerate(run.posts):
        post.committed_ns = post.published_ns + 10 * MS
        if lost and 100 <= message < 150 and message % 2:
            post.stored, post.committed_ns = False, 0
    return run


def durability(run: HandMade, folder: Path) -> Durability:
    found = measured(run.verdict(folder)).durability
    assert found is not None
    return found


def test_expected_and_found_loss_stand_side_by_side(tmp_path: Path) -> None:
    """The expected loss is rate × time since the last COMMIT: 50/s × (0.5 s of the freeze + 10 ms). The safety checks
    stay red."""
    verdict = behind().verdict(tmp_path)
    found = measured(verdict).durability
    assert found is not None
    (loss,) = found.losses
    assert (loss.server, loss.found, loss.rate_hz) == ("server-2", 25, 50.0)
    assert loss.lag_s == pytest.approx(0.51, abs=0.001)
    assert loss.expected == 25.5
    assert loss.expected_low < 25 < loss.expected_high
    assert {"acknowledged-not-stored", "delivered-not-stored"} <= red(verdict)
    summary = finding(verdict, "acknowledged-not-stored").summary
    assert summary.startswith(
        "25 of 300 acknowledged messages are not in the database; server-2, killed at 1.50 s: 25 lost"
    )
    assert [(hop.hop, hop.messages) for hop in found.not_stored_at] == [("published → stored (persist)", 25)]


def test_the_expectation_does_not_follow_what_was_found(tmp_path: Path) -> None:
    """The expected loss comes from the plan and the times of the faults. A run without a loss shows the difference."""
    (loss,) = durability(behind(lost=False), tmp_path).losses
    assert (loss.found, loss.expected) == (0, 25.5)


def test_a_path_that_commits_first_is_expected_to_lose_nothing(tmp_path: Path) -> None:
    """A loss is still counted."""
    (loss,) = durability(behind("db-first"), tmp_path).losses
    assert (loss.expected, loss.expected_high, loss.found) == (0.0, 0.0, 25)


def test_the_lag_is_from_the_first_socket_to_the_commit(tmp_path: Path) -> None:
    """The lag is below zero if COMMIT came first. A message that was never stored is no sample."""
    found = durability(behind(), tmp_path)
    assert found.lag is not None
    assert found.persist is not None
    assert (found.lag.count, found.persist.count) == (275, 275)
    assert (found.persist.p50_ms, found.lag.p50_ms) == (10.0, pytest.approx(9.499))
    run = HandMade(clients=2)
    run.post(committed_ms=2, published_ms=2.5)
    first = durability(run, tmp_path)
    assert first.lag is not None
    assert first.lag.p50_ms == pytest.approx(-1.001)
    assert (first.persist, first.exposed_max, first.losses) == (None, 0, ())


def test_exposure_is_the_most_at_one_moment(tmp_path: Path) -> None:
    """Messages come every 10 ms and are stored 10 ms after their publication: at most two are exposed at a time, beside
    those that are lost."""
    verdict = behind().verdict(tmp_path)
    found = measured(verdict).durability
    assert found is not None
    assert found.exposed_max is not None
    assert 25 <= found.exposed_max <= 27
    line = verdict.series["exposure"].lines["delivered, not stored"]
    assert max(value or 0 for value in line) == found.exposed_max


def test_a_loss_of_the_alternative_supports_the_decision(tmp_path: Path) -> None:
    """The evidence gives k of n messages. A run without a loss decides nothing."""
    decision = measured(behind().verdict(tmp_path)).decisions[0]
    assert decision.status is Outcome.SUPPORTED
    assert "25 of 300 acknowledged messages are not in the database" in decision.evidence
    calm = measured(behind(lost=False).verdict(tmp_path)).decisions[0]
    assert calm.status is Outcome.NOT_REACHED
    assert "no acknowledged message was lost" in calm.evidence


def test_steps_of_a_path_that_publishes_first(tmp_path: Path) -> None:
    """There is no commit before the publication, and storing is its own step."""
    run = HandMade(clients=2, changes={"write_path": "broker-first"})
    for _ in range(10):
        run.post(published_ms=2.5, committed_ms=12.5)
    steps = measured(run.verdict(tmp_path)).steps
    assert steps is not None
    assert steps.commit is None
    assert steps.persist is not None
    assert steps.publish is not None
    assert (steps.publish.p50_ms, steps.persist.p50_ms, steps.negative) == (1.5, 10.0, ())


def test_posts_of_a_killed_server_are_no_hanging_posts(tmp_path: Path) -> None:
    """Two faults overlap: the frozen database delays the other posts, and they are answered when the database is
    back."""
    run = behind("db-first", lost=False)
    for message in range(100, 199):
        late_ns = START_NS + int((BACK_MS + 3) * MS)
        run.posts[message].answered_ns = late_ns
        if message % 2:
            run.statuses[message] = 0
    found = finding(run.verdict(tmp_path), "clean-refusal")
    assert found.status is Status.PASS
    assert "waited until it was back" in found.summary
    run.changes["faults"] = (run.changes["faults"][0], replace(run.changes["faults"][1], parts=("server-1",)))
    assert finding(run.verdict(tmp_path), "clean-refusal").status is Status.FAIL


def test_a_path_that_publishes_first_is_not_asked_for_commit_order(tmp_path: Path) -> None:
    """This write path does not promise the order. DB-first is red with the same times."""
    assert "commit-order" not in {found.check for found in behind(lost=False).verdict(tmp_path).findings}
    assert "commit-order" in red(behind("db-first", lost=False).verdict(tmp_path))
