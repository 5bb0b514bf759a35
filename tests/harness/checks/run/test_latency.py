"""How long deliveries took, from rows: what is counted, from when, and into which second it falls."""

from pathlib import Path

import pytest

from harness.recording import format as layout
from tests.harness.recordings import HandMade, measured


@pytest.fixture
def run() -> HandMade:
    """Message 0 reaches its clients after 5 and 9 ms, message 1 one of its two clients after 7 ms."""
    made = HandMade()
    made.post(0, to=[])
    made.deliver(0, 0, latency_ms=5)
    made.deliver(0, 1, latency_ms=9)
    made.post(0, to=[0], latency_ms=7)
    return made


def test_a_delivery_counts_by_itself_and_a_message_when_its_last_client_has_it(run: HandMade, tmp_path: Path) -> None:
    """What did not reach everyone has no completion, however fast the others were."""
    found = measured(run.verdict(tmp_path))
    assert (found.latency.count, found.latency.p50_ms, found.latency.max_ms) == (3, 7.0, 9.0)
    assert (found.completion.count, found.completion.p50_ms) == (1, 9.0)


def test_only_what_was_acknowledged_has_an_acknowledgement_latency(run: HandMade, tmp_path: Path) -> None:
    """Answered after 3 ms, refused after 20 ms, never answered. All three were sent, each 1 ms after it was due."""
    run.post(0, to=[], outcome=layout.REJECTED, answered_ms=20, stored=False)
    run.post(0, to=[], outcome=layout.INDETERMINATE, stored=False)
    run.post(0, to=[], outcome=layout.UNSENT, stored=False)
    found = measured(run.verdict(tmp_path))
    assert found.acknowledgement is not None
    assert found.send_late is not None
    assert (found.acknowledgement.count, found.acknowledgement.max_ms) == (2, 3.0)
    assert (found.send_late.count, found.send_late.max_ms) == (4, 1.0)


def test_without_a_fault_no_half_is_told_apart(run: HandMade, tmp_path: Path) -> None:
    """Every delivery is live then."""
    verdict = run.verdict(tmp_path)
    found = measured(verdict)
    assert found.live_latency is None
    assert found.recovered_latency is None
    assert set(verdict.series) >= {"latency", "completion", "percentiles"}
    assert not set(verdict.series) & {"live_latency", "recovered_latency", "acknowledgement"}


def test_a_curve_has_a_point_for_each_second_of_intended_time(tmp_path: Path) -> None:
    """100 messages a second: the first 100 take 5 ms, the others 50 ms, although the last ones arrive in a later second."""
    run = HandMade()
    for message in range(200):
        run.post(0, latency_ms=5 if message < 100 else 50)
    curve = run.verdict(tmp_path).series["latency"]
    assert curve.x == (0.0, 1.0)
    assert curve.lines == {"P50": (5.0, 50.0), "P95": (5.0, 50.0), "P99": (5.0, 50.0)}


def test_the_curve_of_percentiles_ends_where_the_smaller_sample_ends(tmp_path: Path) -> None:
    """1,000 completions reach 3 nines, 2,000 deliveries more; ten samples are the fewest that it is drawn for."""
    run = HandMade()
    for _ in range(1_000):
        run.post(0)
    assert run.verdict(tmp_path).series["percentiles"].x[-1] == 3.0
    few = HandMade()
    few.post(0)
    assert few.verdict(tmp_path).series["percentiles"].x[-1] == 1.0


def test_nothing_delivered_has_no_curve(tmp_path: Path) -> None:
    run = HandMade()
    run.post(0, to=[])
    verdict = run.verdict(tmp_path)
    assert measured(verdict).latency.count == 0
    assert not set(verdict.series) & {"latency", "completion", "percentiles"}
