"""The time of each step, and the hop that lost a delivery, from traces of a few messages."""

from dataclasses import replace
from pathlib import Path
from unittest import mock

import pytest

from harness.model.measurements.delivery import LostAt
from harness.model.measurements.percentiles import Percentiles
from harness.model.measurements.steps import StepLatencies
from harness.planning.arrivals import WARM_UP
from tests.harness.recordings import MS, HandMade, measured


def steps(run: HandMade, folder: Path) -> StepLatencies:
    found = measured(run.verdict(folder)).steps
    assert found is not None
    return found


def p50(found: Percentiles | None) -> float | None:
    return None if found is None else found.p50_ms


def posted(**changes: object) -> HandMade:
    run = HandMade(**changes)  # type: ignore[arg-type]  # its fields
    for _ in range(10):
        run.post(0)
    return run


def test_each_step_begins_where_the_one_before_it_ended(tmp_path: Path) -> None:
    """A message is accepted after 1 ms, committed after 2 ms, published after 2.5 ms, received by the other server
    after 3 ms and by the client after 5 ms. The server writes 1 µs after it received."""
    found = steps(posted(), tmp_path)
    assert (p50(found.ingest), p50(found.commit), p50(found.publish), p50(found.fan_out)) == (1.0, 1.0, 0.5, 0.5)
    assert (p50(found.push), p50(found.total), p50(found.persist)) == (pytest.approx(2.0, abs=0.01), 5.0, None)
    assert (found.left_out, found.negative, found.clock_bound_ms) == ((), (), 0.0)


def test_without_traces_there_are_no_steps(tmp_path: Path) -> None:
    """The total is still among the latencies."""
    assert measured(posted(traced=False).verdict(tmp_path)).steps is None


def test_a_path_that_publishes_first_persists_last(tmp_path: Path) -> None:
    """A message is published 1 ms after it was accepted, and committed 3 ms later: no step waits for the commit."""
    run = HandMade(changes={"write_path": "broker-first"})
    for _ in range(10):
        run.post(0, published_ms=2, committed_ms=5)
    found = steps(run, tmp_path)
    assert (p50(found.publish), p50(found.persist), p50(found.commit)) == (1.0, 3.0, None)
    assert p50(found.fan_out) == 1.5, "counted from the acceptance: the broker answers its server no sooner than others"


def test_a_step_between_clocks_that_cannot_be_compared_is_left_out(tmp_path: Path) -> None:
    """Steps on one host are kept. If the error of both clocks is known to be 1 ms, no step is left out, and the error
    is reported."""
    run = posted(clock_offsets_ns={0: 0, 1: 0})
    found = steps(run, tmp_path)
    assert set(found.left_out) == {"ingest", "fan_out", "push"}
    assert (found.ingest, found.fan_out, found.push, p50(found.commit)) == (None, None, None, 1.0)
    run.clock_bounds_ns = {0: MS, 1: MS}
    known = steps(run, tmp_path)
    assert known.left_out == ()
    assert known.clock_bound_ms == 2.0, "both hosts may be wrong, in opposite directions"


def test_a_step_that_took_less_than_no_time_is_named_and_not_shown(tmp_path: Path) -> None:
    """A message was committed 0.8 ms before it was accepted, on one kernel: no clock error explains that."""
    run = HandMade()
    for _ in range(10):
        run.post(0, committed_ms=0.2, published_ms=0.3, latency_ms=5)
    found = steps(run, tmp_path)
    assert "commit" in found.negative
    assert found.commit is None
    assert p50(found.ingest) == 1.0


def lost(run: HandMade, folder: Path) -> tuple[LostAt, ...]:
    return measured(run.verdict(folder)).lost_at


def test_nothing_lost_has_no_hop(tmp_path: Path) -> None:
    """A loss without a trace has no hop either."""
    run = posted()
    assert lost(run, tmp_path) == ()
    run.traced = False
    run.post(0, to=[0])
    assert lost(run, tmp_path) == ()


def test_the_first_hop_without_a_trace_lost_the_delivery(tmp_path: Path) -> None:
    """Clients 0 and 1 are on servers 1 and 2. One message was never published, one never reached server 2, and one was
    written there but did not arrive."""
    run = posted()
    unpublished, silent, written = (run.post(0, to=to) for to in ([], [0], [0]))
    run.unpublished.add(unpublished)
    run.silent.add((1, silent))
    run.post(0)
    found = {one.hop: one.deliveries for one in lost(run, tmp_path)}
    assert found == {
        "committed → published": 2,
        "published → received by the client's server": 1,
        "written to the socket → received by the client": 1,
    }
    assert written == 12


def test_a_server_that_wrote_to_too_few_sockets_lost_the_others(tmp_path: Path) -> None:
    """A server has two clients and wrote the message to one of them."""
    run = HandMade(clients=4, audience=4)
    for _ in range(3):
        run.post(0)
    run.post(0, to=[0, 1, 3])
    run.post(0)
    recording = run.recording(tmp_path)
    delivered = {server: rows.copy() for server, rows in recording.delivered.items()}
    delivered[0]["sockets"][delivered[0]["seq"] == 4] = 1
    with mock.patch.object(HandMade, "recording", return_value=replace(recording, delivered=delivered)):
        found = {one.hop: one.deliveries for one in lost(run, tmp_path)}
    assert found == {"received by the server → written to the socket": 1}


def test_warm_up_is_in_no_step(tmp_path: Path) -> None:
    """Only measured messages are timed."""
    run = posted()
    run.post(0, phase=WARM_UP, committed_ms=900, published_ms=901, answered_ms=902)
    found = steps(run, tmp_path)
    assert found.commit is not None
    assert (found.commit.count, found.commit.max_ms) == (10, 1.0)


@pytest.mark.parametrize(("messages", "negative"), [(100, ("commit",)), (101, ())])
def test_one_impossible_sample_of_a_hundred_spoils_a_step(
    tmp_path: Path, messages: int, negative: tuple[str, ...]
) -> None:
    """One message was committed 0.5 ms before it was accepted, on one kernel."""
    run = HandMade()
    run.post(0, committed_ms=0.5)
    for _ in range(messages - 1):
        run.post(0)
    found = steps(run, tmp_path)
    assert found.negative == negative
    assert (found.commit is None) is bool(negative)


def test_a_message_that_was_never_published_has_the_steps_before(run: HandMade, tmp_path: Path) -> None:
    """Of three messages to two clients each, two were published. The commit of the third is known, but no server
    received it, so its deliveries have no push."""
    run.unpublished = {2}
    found = steps(run, tmp_path)
    figures = (found.ingest, found.commit, found.publish, found.fan_out, found.push, found.total)
    assert [one.count for one in figures if one is not None] == [3, 3, 2, 4, 4, 6]
    assert [p50(one) for one in figures] == [1.0, 1.0, 0.5, 0.5, 2.0, 5.0]
