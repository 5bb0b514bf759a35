"""A server's trace contradicts the offset that the recording gives for its clock."""

import dataclasses
from pathlib import Path
from unittest import mock

import pytest

from harness.model.finding import Bias, Status, Verdict
from harness.model.measurements.claims import Outcome
from tests.harness.recordings import MS, HandMade, finding, measured, red

SECOND = 1_000 * MS


def stepped(folder: Path, step_ns: int, *, server: int = 1, first: int = 150, parts: str = "both") -> Verdict:
    """300 messages without an error. From message ``first`` on, the clock of one server is ``step_ns`` ahead."""
    run = HandMade()
    for _ in range(300):
        run.post(0)
    recording = run.recording(folder)
    accepted, delivered = recording.accepted[server].copy(), recording.delivered[server].copy()
    if parts != "delivered":
        for name in ("accepted_ns", "committed_ns", "published_ns"):
            accepted[name][accepted["seq"] > first] += step_ns
    for name in ("received_ns", "written_ns"):
        delivered[name][delivered["seq"] > first] += step_ns
    recording = dataclasses.replace(
        recording,
        accepted={**recording.accepted, server: accepted},
        delivered={**recording.delivered, server: delivered},
    )
    with mock.patch.object(HandMade, "recording", return_value=recording):
        return run.verdict(folder)


@pytest.mark.parametrize("step_ns", [5 * SECOND, -5 * SECOND])
@pytest.mark.parametrize("first", [0, 150, 298])
def test_a_clock_that_steps_in_mid_run_accuses_no_server(tmp_path: Path, step_ns: int, first: int) -> None:
    """A healthy cluster does not FAIL `commit-order`. The clock counts as unknown: steps that need it are left out by
    name, no claim uses them, and a finding names the server."""
    verdict = stepped(tmp_path, step_ns, first=first)
    assert red(verdict) == set()
    assert finding(verdict, "commit-order").status is Status.UNKNOWN
    found = finding(verdict, "server-clocks")
    assert (found.status, found.bias) == (Status.UNKNOWN, Bias.OPTIMISTIC)
    assert "by its trace server-2 accepted" in found.summary
    steps = measured(verdict).steps
    assert steps is not None
    assert steps.left_out == ("ingest", "fan_out", "push")
    outcomes = {claim.step: claim.status for claim in verdict.claims}
    assert outcomes["fan_out"] is outcomes["push"] is Outcome.NOT_REACHED


def test_a_step_that_took_less_than_no_time_supports_nothing(tmp_path: Path) -> None:
    """By its trace a server received messages after its clients did, and nothing else is wrong. The step push is left
    out by name; it does not count as fast."""
    verdict = stepped(tmp_path, 4 * MS, parts="delivered")
    assert red(verdict) == set()
    steps = measured(verdict).steps
    assert steps is not None
    assert (steps.negative, steps.push) == (("push",), None)
    assert finding(verdict, "server-clocks").status is Status.UNKNOWN
    assert {claim.step: claim.status for claim in verdict.claims}["push"] is Outcome.NOT_REACHED
    assert verdict.status is Status.UNKNOWN


@pytest.mark.parametrize(("bound_ns", "negative"), [(1 * MS, ("push",)), (5 * MS, ())])
def test_what_the_bound_of_a_clock_explains_is_not_negative(
    tmp_path: Path, bound_ns: int, negative: tuple[str, ...]
) -> None:
    """A step is 2 ms below zero on two hosts. That is a contradiction with an error of 1 ms, and none with an error of
    5 ms. A figure that the error could have made supports no claim."""
    run = HandMade(clock_offsets_ns={1: 0}, clock_bounds_ns={1: bound_ns})
    for _ in range(300):
        run.post(0)
    recording = run.recording(tmp_path)
    delivered = recording.delivered[1].copy()
    delivered["received_ns"] += 4 * MS
    recording = dataclasses.replace(recording, delivered={**recording.delivered, 1: delivered})
    with mock.patch.object(HandMade, "recording", return_value=recording):
        verdict = run.verdict(tmp_path)
    steps = measured(verdict).steps
    assert steps is not None
    assert steps.negative == negative
    assert {claim.step: claim.status for claim in verdict.claims}["push"] is Outcome.NOT_REACHED
    assert red(verdict) == set()


def test_clocks_that_agree_pass(tmp_path: Path) -> None:
    """A message that its own server answered too early is still red. The server accepted it before the answer, so its
    clock is not in doubt."""
    run = HandMade()
    for _ in range(300):
        run.post(0)
    assert finding(run.verdict(tmp_path), "server-clocks").status is Status.PASS
    run.post(0, answered_ms=1.5, committed_ms=2)
    verdict = run.verdict(tmp_path)
    assert red(verdict) == {"commit-order"}
    assert finding(verdict, "server-clocks").status is Status.PASS


def test_a_message_may_arrive_before_its_publisher_has_noted_it(tmp_path: Path) -> None:
    """The server notes the time of publication after the hand-over, so a tenth of the messages arrive a little earlier,
    but after COMMIT. This does not show a wrong clock."""
    run = HandMade()
    for _ in range(300):
        run.post(0)
    recording = run.recording(tmp_path)
    delivered = recording.delivered[1].copy()
    delivered["received_ns"][:30] -= MS
    recording = dataclasses.replace(recording, delivered={**recording.delivered, 1: delivered})
    with mock.patch.object(HandMade, "recording", return_value=recording):
        verdict = run.verdict(tmp_path)
    steps = measured(verdict).steps
    assert steps is not None
    assert (steps.negative, steps.left_out) == ((), ())
    assert steps.fan_out is not None
    assert finding(verdict, "server-clocks").status is Status.PASS


@pytest.mark.parametrize("missing", ["posts", "accepted"])
def test_without_rows_nothing_is_shown(tmp_path: Path, missing: str) -> None:
    """Without a ledger, or with traces without a post, nothing contradicts the clocks and nothing confirms them."""
    run = HandMade()
    for _ in range(3):
        run.post(0)
    recording = run.recording(tmp_path)
    accepted = {server: rows[:0] for server, rows in recording.accepted.items()}
    gone = {"posts": {"posts": recording.posts[:0]}, "accepted": {"accepted": accepted}}[missing]
    with mock.patch.object(HandMade, "recording", return_value=dataclasses.replace(recording, **gone)):
        found = finding(run.verdict(tmp_path), "server-clocks")
    assert (found.status, found.bias) == (Status.UNKNOWN, Bias.OPTIMISTIC)
