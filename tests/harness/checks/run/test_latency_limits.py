"""A limit is decided by the interval of the percentile. A limit inside the interval is not decided, and less evidence
decides less."""

from pathlib import Path

import numpy as np
import pytest

from harness.checks.run.latency_limits import FAR_BELOW, decide, far_below, in_words
from harness.checks.statistics.interval import PercentileInterval
from harness.model.expectation import Expectation, Statistic
from harness.model.finding import Status
from harness.model.measurements.percentiles import Percentiles
from tests.harness.checks.statistics.coverage import Made
from tests.harness.recordings import HandMade, finding, red

LIMIT_MS = 100.0


def figures(p99_ms: float, *, p50_ms: float = 20.0, max_ms: float = 150.0, messages: int = 6_000) -> Percentiles:
    return Percentiles(
        count=messages * 10,
        messages=messages,
        p50_ms=p50_ms,
        p95_ms=p99_ms,
        p99_ms=p99_ms,
        p999_ms=max_ms,
        max_ms=max_ms,
    )


@pytest.mark.parametrize(
    ("p99_ms", "low_ms", "high_ms", "status"),
    [
        (90, 80, 99.9, Status.PASS),
        (99.9, 80, 140, Status.UNKNOWN),
        (100.1, 80, 140, Status.UNKNOWN),
        (90, 80, 100, Status.UNKNOWN),
        (120, 100, 140, Status.FAIL),
        (120, 101, None, Status.FAIL),
        (90, 80, None, Status.UNKNOWN),
        (120, 99, None, Status.UNKNOWN),
    ],
)
def test_the_interval_decides(p99_ms: float, low_ms: float, high_ms: float | None, status: Status) -> None:
    """PASS if the interval ends below the limit, FAIL if it begins at the limit or beyond, else UNKNOWN."""
    interval = PercentileInterval(low_ms=low_ms, high_ms=high_ms)
    found, reason = decide(figures(p99_ms), interval, "p99", LIMIT_MS, seconds=10)
    assert found is status
    assert "100 ms" in reason


@pytest.mark.parametrize("interval", [None, PercentileInterval(low_ms=20, high_ms=None)])
def test_without_an_upper_end_only_what_is_far_below_passes(interval: PercentileInterval | None) -> None:
    """A PASS needs 299 messages, of which no delivery took half of the limit."""
    assert decide(figures(30, max_ms=49, messages=299), interval, "p99", LIMIT_MS, seconds=10)[0] is Status.PASS
    assert decide(figures(30, max_ms=50, messages=299), interval, "p99", LIMIT_MS, seconds=10)[0] is Status.UNKNOWN
    found, reason = decide(figures(30, max_ms=49, messages=298), interval, "p99", LIMIT_MS, seconds=10)
    assert found is Status.UNKNOWN
    assert "299" in reason


def test_without_an_interval_only_what_is_far_beyond_fails() -> None:
    """A FAIL needs half of the deliveries at the limit or beyond. A P99 beyond the limit is no evidence, and neither is
    a median at its own limit."""
    assert decide(figures(150, p50_ms=100), None, "p99", LIMIT_MS, seconds=10)[0] is Status.FAIL
    assert decide(figures(150, p50_ms=99), None, "p99", LIMIT_MS, seconds=10)[0] is Status.UNKNOWN
    assert decide(figures(150, p50_ms=100), None, "p50", LIMIT_MS, seconds=10)[0] is Status.UNKNOWN
    assert decide(figures(150, p50_ms=100, messages=200), None, "p99", LIMIT_MS, seconds=10)[0] is Status.UNKNOWN
    assert "at least 6 seconds" in decide(figures(150, p50_ms=99), None, "p99", LIMIT_MS, seconds=10)[1]


def test_the_largest_latency_is_decided_by_its_value() -> None:
    """The largest latency is a fact about the run, not an estimate."""
    assert decide(figures(30, max_ms=99), None, "max", LIMIT_MS, seconds=10)[0] is Status.PASS
    assert decide(figures(30, max_ms=100), None, "max", LIMIT_MS, seconds=10)[0] is Status.FAIL


def test_nothing_timed_is_unknown() -> None:
    """Without a timed message there is no decision."""
    assert decide(Percentiles(), None, "p99", LIMIT_MS, seconds=10) == (Status.UNKNOWN, "no message was timed")


def test_intervals_in_words() -> None:
    """The interval has both ends, one end, or does not exist."""
    assert in_words(PercentileInterval(low_ms=80, high_ms=140)) == "80.0 to 140.0 ms at 95 %"
    assert in_words(PercentileInterval(low_ms=80, high_ms=None)) == "80.0 ms or more at 97.5 %; no upper end"
    assert in_words(None) == ""


def a_run(seconds: int, slow: set[int], *, statistic: Statistic = "p99", slow_ms: float = 150) -> HandMade:
    """100 messages a second. In the ``slow`` seconds every tenth message is late."""
    wish = Expectation(measure="latency_ms", statistic=statistic, limit_ms=LIMIT_MS)
    run = HandMade(changes={"expectations": (wish,)})
    for message in range(seconds * 100):
        late = message // 100 in slow and message % 10 == 0
        run.post(0, latency_ms=slow_ms if late else 5 + message % 7)
    return run


@pytest.mark.parametrize(
    ("seconds", "slow", "status"),
    [
        (10, set(range(10)), Status.FAIL),  # every second has late messages
        (10, {4}, Status.UNKNOWN),  # one second of ten: a single event makes the P99
        (10, {4, 5}, Status.UNKNOWN),
        (3, {0, 1, 2}, Status.UNKNOWN),  # too short for any interval
        (10, set(), Status.PASS),
        (3, set(), Status.PASS),
    ],
)
def test_a_recording_is_decided_by_its_interval(tmp_path: Path, seconds: int, slow: set[int], status: Status) -> None:
    """From rows to finding: samples are messages, and pairs are deliveries."""
    found = finding(a_run(seconds, slow).verdict(tmp_path), "latency_ms.p99")
    assert found.status is status, found.summary
    assert (found.samples, found.pairs) == (seconds * 100, seconds * 200)


def test_every_statistic_has_an_interval(tmp_path: Path) -> None:
    """A limit of the P95 is decided by the interval of the P95."""
    found = finding(a_run(10, set(range(10)), statistic="p95").verdict(tmp_path), "latency_ms.p95")
    assert found.status is Status.FAIL
    assert found.confidence.endswith("at 95 %")


def share_below(made: Made, factor: float, runs: int = 300) -> float:
    """The share of these runs whose largest latency is below ``factor`` × the true P99."""
    rng = np.random.default_rng(1)
    largest = [made.latencies(rng).quantiles_ms((1.0,))[0] for _ in range(runs)]
    return sum(value < factor * made.true_p99_ms for value in largest) / runs


def test_the_largest_of_299_bounds_a_p99_only_where_messages_are_independent() -> None:
    """If messages are independent, 0.99^300 = 4.9 % of the runs of three seconds with 100 messages each have no value
    beyond the true P99. If seconds differ, the share is much larger. Therefore a run without an upper end must stay far
    below the limit."""
    assert share_below(Made(3, 0.0, 0.0), 1.0) <= 0.05
    assert share_below(Made(3, 0.7, 0.3), 1.0) > 0.3


@pytest.mark.parametrize("seconds", [3, 5, 8, 20, 60])
@pytest.mark.parametrize(("correlation", "level"), [(0.0, 0.0), (0.0, 0.3), (0.7, 0.1), (0.7, 0.3), (0.9, 0.3)])
def test_far_below_holds_for_seconds_that_resemble_each_other(seconds: int, correlation: float, level: float) -> None:
    """Of runs whose true P99 is at the limit, at most 5 % pass."""
    share = far_below(0.99, seconds * 100, seconds)
    assert share is not None
    assert share_below(Made(seconds, correlation, level), share) <= 0.05


@pytest.mark.parametrize("level", [0.3, 0.6])
@pytest.mark.parametrize("correlation", [0.0, 0.7])
def test_far_below_in_a_minute_holds_for_seconds_that_differ_much(correlation: float, level: float) -> None:
    """The share for 60 s is the largest, so it is tested with the most difficult runs."""
    assert share_below(Made(60, correlation, level), FAR_BELOW[0][2]) <= 0.05


def test_a_longer_run_says_more() -> None:
    """In a minute of 60,000 messages the largest latency was 59.3 ms. The P99 was 17.8 ms and had no upper end."""
    open_ended = PercentileInterval(low_ms=14.8, high_ms=None)
    measured = figures(17.8, max_ms=59.3, messages=60_000)
    assert decide(measured, open_ended, "p99", LIMIT_MS, seconds=60)[0] is Status.PASS
    assert decide(measured, open_ended, "p99", LIMIT_MS, seconds=20)[0] is Status.PASS
    assert decide(measured, open_ended, "p99", LIMIT_MS, seconds=19)[0] is Status.UNKNOWN
    assert (
        decide(figures(17.8, max_ms=90.0, messages=60_000), open_ended, "p99", LIMIT_MS, seconds=60)[0]
        is Status.UNKNOWN
    )
    few = figures(17.8, max_ms=59.3, messages=1_900)
    assert decide(few, open_ended, "p99", LIMIT_MS, seconds=60)[0] is Status.UNKNOWN


def test_shares_of_longer_runs_are_for_quantiles_that_they_were_tried_on() -> None:
    assert far_below(0.99, 60_000, 60) == FAR_BELOW[0][2]
    assert far_below(0.999, 600_000, 600) == FAR_BELOW[-1][2]
    assert far_below(0.99, 298, 600) is None


@pytest.mark.usefixtures("however_much_is_read_at_once")
def test_slow_deliveries_are_red_for_latency_alone(run: HandMade, tmp_path: Path) -> None:
    """A P99 at or over its limit fails if the measurement has no bias."""
    for _ in range(400):
        run.post(0, latency_ms=150)
    assert red(run.verdict(tmp_path)) == {"latency_ms.p99"}
