"""The rate of received deliveries, from recordings written by hand."""

from pathlib import Path

import pytest

from harness.model.finding import Status
from tests.harness.recordings import HandMade, finding, measured

CHECK = "delivery-rate"


def test_a_saturated_cluster_is_seen_in_the_rate_of_receipt(tmp_path: Path) -> None:
    """Posts of 4 s are delivered over 44 s: the rate is an eleventh of the posted rate, and the check is red."""
    run = HandMade()
    for number in range(400):
        run.post(0, latency_ms=5 + number * 100)
    verdict = run.verdict(tmp_path)
    rates = measured(verdict).rates
    assert rates.messages_hz == 100
    assert rates.deliveries_hz == pytest.approx(200 / 11, abs=1)
    found = finding(verdict, CHECK)
    assert found.status is Status.FAIL
    assert found.samples == 400


def test_a_steady_latency_is_as_planned(tmp_path: Path) -> None:
    """Deliveries that were on their way when the window began compensate those that are on their way when it ends."""
    run = HandMade()
    for _ in range(400):
        run.post(0, latency_ms=20)
    verdict = run.verdict(tmp_path)
    assert measured(verdict).rates.deliveries_hz == pytest.approx(200, abs=2)
    assert finding(verdict, CHECK).status is Status.PASS


def test_repetitions_are_no_deliveries(tmp_path: Path) -> None:
    """The last of ten messages never came, and the first came ten times."""
    run = HandMade()
    for _ in range(9):
        run.post(0)
    run.post(0, to=[])
    for _ in range(9):
        run.deliver(0, 0)
    assert measured(run.verdict(tmp_path)).rates.deliveries_hz == 180


def test_few_messages_near_the_limit_decide_nothing(tmp_path: Path) -> None:
    """One of 20 messages was still on its way at the end: the share is 95 %, with an interval from 85 % to 105 %."""
    run = HandMade()
    for _ in range(20):
        run.post(0, latency_ms=15)
    assert finding(run.verdict(tmp_path), CHECK).status is Status.UNKNOWN


def test_a_run_that_ended_early_is_not_decided(tmp_path: Path) -> None:
    """The window of the run ends with the last post."""
    run = HandMade(ended="interrupted", changes={"duration_s": 60.0})
    for _ in range(100):
        run.post(0)
    verdict = run.verdict(tmp_path)
    assert finding(verdict, CHECK).status is Status.UNKNOWN
    assert measured(verdict).rates.deliveries_hz == pytest.approx(200, abs=5)
