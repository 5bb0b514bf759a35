"""The common part of checks of faults: when they apply, and when something is slower than without the fault."""

from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from harness.checks.check import Answer, Case, Check
from harness.checks.run.outage_scope import during_outage, not_slower, where_hit
from harness.checks.run.recovery import Span
from harness.checks.statistics.distribution import Distribution
from harness.model.fault import FaultKind, Target
from harness.model.finding import Kind, Status
from tests.harness.checks.run.outages import broken
from tests.harness.recordings import MS, HandMade


def values(ms: list[float], seconds: int) -> Distribution:
    """Messages in order, spread over ``seconds`` seconds."""
    groups = np.arange(len(ms)) * seconds // max(len(ms), 1)
    return Distribution.of((np.array(ms) * MS).astype(np.int64), groups.astype(np.int64))


def compared(calm: list[float], during: list[float], seconds: int) -> Answer:
    return not_slower("it", values(calm, 5), values(during, seconds), messages=(len(calm), len(during)))


def spread(count: int, low_ms: float, high_ms: float) -> list[float]:
    """Values that are spread evenly; each second has the same ones."""
    return [low_ms + (high_ms - low_ms) * (number % 100) / 100 for number in range(count)]


CALM = spread(500, 2, 10)


@pytest.mark.parametrize(
    ("during", "seconds", "status"),
    [
        (spread(500, 2, 10), 5, Status.PASS),  # the largest value is within the limit
        ([*spread(499, 2, 10), 30.0], 5, Status.UNKNOWN),  # same P99, but its upper end is beyond the limit
        (spread(299, 2, 10), 3, Status.PASS),
        (spread(298, 2, 10), 3, Status.UNKNOWN),
        ([100.0] * 500, 5, Status.UNKNOWN),  # without an interval there is no FAIL
        (spread(2_000, 2, 10), 10, Status.PASS),
        (spread(2_000, 2, 30), 10, Status.FAIL),
        (spread(2_000, 2, 15), 10, Status.UNKNOWN),  # only the value of P99 is within the limit
    ],
)
def test_the_ends_of_the_intervals_decide(during: list[float], seconds: int, status: Status) -> None:
    """PASS if the upper end is within the limit, FAIL if the lower end is beyond it, else UNKNOWN. Without an upper end
    the largest value of at least 299 messages replaces it."""
    found = compared(CALM, during, seconds)
    assert found.status is status, found
    assert (status is Status.UNKNOWN) == ("not decided" in found.summary or "not known" in found.summary)


def test_a_few_slow_ones_before_make_no_limit() -> None:
    """Four of 300 messages were slow before the fault. By the value alone P99 is 60 ms, and 65 ms would pass. The lower
    end of the P99 sets the limit for PASS, and the upper end sets the limit for FAIL."""
    calm = [*spread(296, 2, 10), *[60.0] * 4]
    assert compared(calm, spread(500, 2, 10), 5).status is Status.PASS
    assert compared(calm, spread(500, 2, 50), 5).status is Status.UNKNOWN
    assert compared(calm, spread(2_000, 2, 50), 10).status is Status.UNKNOWN


def test_less_evidence_never_decides_more() -> None:
    """What the first seconds of an outage decide, the whole outage decides too. Without data nothing is decided."""
    during = spread(2_000, 2, 10)
    statuses = [compared(CALM, during[: 100 * seconds], seconds).status for seconds in (1, 2, 3, 5, 6, 10, 20)]
    assert statuses == [Status.UNKNOWN, Status.UNKNOWN, *[Status.PASS] * 5]
    assert compared([], during, 20).status is compared(CALM, [], 1).status is Status.UNKNOWN


@pytest.mark.parametrize(("seconds", "passed_at_most"), [(3, 0.05), (5, 0.05), (10, 0.05)])
def test_what_is_slower_hardly_ever_passes(seconds: int, passed_at_most: float) -> None:
    """Messages are independent, and their true P99 is just beyond the limit. The level of 95 % holds for short outages
    too."""
    rng = np.random.default_rng(1)
    passed = 0
    for _ in range(200):
        calm = 2 * np.exp(0.5 * rng.normal(size=500))
        during = 2 * np.exp(0.5 * rng.normal(size=100 * seconds)) + 5.0
        passed += compared(calm.tolist(), during.tolist(), seconds).status is Status.PASS
    assert passed / 200 <= passed_at_most


@pytest.mark.parametrize(
    ("target", "kind", "asked", "of_restarts"),
    [
        (Target.BROKER, FaultKind.STOP, True, True),
        (Target.BROKER, FaultKind.RESTART, False, True),
        (Target.DATABASE, FaultKind.STOP, False, False),
    ],
)
def test_a_check_is_asked_where_its_target_was_hit(
    tmp_path: Path, target: Target, kind: FaultKind, asked: bool, of_restarts: bool
) -> None:
    """The target decides. A restart counts only for checks to which it makes sense, and without a begun fault no such
    check applies."""
    assert answers(broken(target, kind), tmp_path, restart=False) is asked
    assert answers(broken(target, kind), tmp_path, restart=True) is of_restarts
    never = broken(target, kind)
    never.outage_ms = None
    assert answers(never, tmp_path, restart=True) is False


def answers(run: HandMade, folder: Path, *, restart: bool) -> bool:
    """Whether a check of broken brokers answers, and receives the outage."""
    asked: list[int] = []

    def function(case: Case, outage: Span) -> Answer:
        asked.append(outage.end_ns - outage.begin_ns)
        return Answer(status=Status.PASS, summary="")

    check = Check(
        name="made-up",
        kind=Kind.SAFETY,
        function=during_outage(function),
        applies=where_hit(Target.BROKER, restart=restart),
        needs=(),
        red_when="",
        what_to_do="",
        planted_bug="",
    )
    with mock.patch("harness.checks.judge.checks_of", return_value=[check]):
        verdict = run.verdict(folder)
    assert asked in ([], [1_000 * MS])
    return bool(verdict.findings)
