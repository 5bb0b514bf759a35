"""How long did deliveries take, counted from the intended time of the post?"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

import numpy as np

from harness.checks.check import Answer, Case, Check, Need
from harness.checks.evidence.account import Account
from harness.checks.evidence.attempts import Attempts
from harness.checks.evidence.evidence import Evidence
from harness.checks.evidence.tally import Tally
from harness.checks.statistics.distribution import Distribution, percentiles
from harness.model.expectation import Measure, Statistic
from harness.model.finding import Kind, Series, Status
from harness.model.measurements.percentiles import Percentiles
from harness.recording.format import ACKNOWLEDGED

CURVE_POINTS = 120
_LABELS = {
    "latency": "delivery latency (ms)",
    "live_latency": "delivery latency (ms)",
    "recovered_latency": "delivery latency (ms)",
    "completion": "completion latency (ms)",
    "acknowledgement": "acknowledgement latency (ms)",
}
_NAMES = {
    "latency_ms": "delivery latency",
    "live_latency_ms": "latency of the deliveries that no fault disturbed",
    "completion_ms": "completion latency",
}


def measure(evidence: Evidence, tally: Tally, account: Account, attempts: Attempts) -> dict[str, Percentiles]:
    """The latencies of `RunMeasurements` by the name of the field; those that the recording does not hold are absent."""
    posts = evidence.recording.posts
    seed = evidence.plan.seed
    found = {
        name: attempts.make(name, partial(_with_interval, values, seed), None)
        for name, values in _distributions(evidence, tally, account).items()
    }
    if evidence.has_ledger:
        sent = evidence.measured & (posts["sent_ns"] > 0)
        answered = evidence.measured & (evidence.outcome == ACKNOWLEDGED)
        late_ns = posts["sent_ns"] - posts["intended_ns"]
        taken_ns = posts["answered_ns"] - posts["intended_ns"]
        found["acknowledgement"] = attempts.make("acknowledgement", lambda: percentiles(taken_ns[answered]), None)
        found["send_late"] = attempts.make("send_late", lambda: percentiles(late_ns[sent]), None)
    return {name: figures for name, figures in found.items() if figures is not None}


def _with_interval(distribution: Callable[[], Distribution], seed: int) -> Percentiles:
    values = distribution()
    found = values.interval_ms(0.99, seed=seed)
    low, high = (None, None) if found is None else found
    return replace(values.percentiles(), p99_low_ms=low, p99_high_ms=high)


def _distributions(evidence: Evidence, tally: Tally, account: Account) -> dict[str, Callable[[], Distribution]]:
    """By second of the measured window. Where nothing was disturbed, all deliveries are live, and no half is told apart."""
    timings = tally.timings
    found: dict[str, Callable[[], Distribution]] = {
        "latency": lambda: timings.latency,
        "completion": lambda: completion(evidence, tally, account),
    }
    if evidence.plan.faults or evidence.disturbance is not None:
        found |= {"live_latency": lambda: timings.live, "recovered_latency": lambda: timings.recovered}
    return found


def completion(evidence: Evidence, tally: Tally, account: Account) -> Distribution:
    """Completion latency of every measured message that reached its whole audience."""
    whole = evidence.measured & (account.delivered >= evidence.audience[evidence.channel])
    return Distribution.of(tally.last_ns[whole] - evidence.intended_ns[whole], evidence.second[whole])


def limit_check(measure: Measure, statistic: Statistic, *, planted_bug: str = "") -> Check[Case]:
    """The check of every expectation of the plan that is about this figure."""
    name = f"{measure}.{statistic}"
    what = f"{statistic.upper()} of the {_NAMES[measure]}"
    return Check(
        name=name,
        kind=Kind.PERFORMANCE,
        function=lambda case: _below_limit(case, measure, statistic),
        applies=lambda case: _limit_ms(case, measure, statistic) is not None,
        needs=(Need.LEDGER, Need.DELIVERIES, Need.EVENTS),
        red_when=f"the {what} reaches its limit",
        what_to_do="the steps table: which step takes the time; then the CPU of each process",
        planted_bug=planted_bug,
    )


def _limit_ms(case: Case, measure: Measure, statistic: Statistic) -> float | None:
    """The tightest limit of the plan for this figure."""
    limits = [
        wish.limit_ms
        for wish in case.evidence.plan.expectations
        if (wish.measure, wish.statistic) == (measure, statistic)
    ]
    return min(limits, default=None)


def _below_limit(case: Case, measure: Measure, statistic: Statistic) -> Answer:
    limit_ms = _limit_ms(case, measure, statistic)
    assert limit_ms is not None, "the check applies only where the plan has a limit"
    figures = case.measured.timed(measure) or Percentiles()
    measured = figures.at_ms(statistic)
    unit = "messages" if measure == "completion_ms" else "deliveries"
    name = f"{statistic.upper()} of the {_NAMES[measure]}"
    if measured is None:
        status, summary = Status.UNKNOWN, f"no {unit} were timed"
    else:
        status = Status.PASS if measured < limit_ms else Status.FAIL
        relation = "below" if status is Status.PASS else "not below"
        summary = f"{name} is {measured:.1f} ms, {relation} {limit_ms:g} ms"
    low, high = figures.p99_low_ms, figures.p99_high_ms
    interval = (
        f"{low:.1f} to {high:.1f} ms at 95 %, block bootstrap over seconds"
        if low is not None and high is not None
        else ""
    )
    return Answer(
        status=status,
        summary=summary,
        measured={f"{statistic}_ms": measured},
        expected={f"{statistic}_ms_below": limit_ms},
        samples=figures.count,
        confidence=interval if statistic == "p99" else "",
    )


def series(evidence: Evidence, tally: Tally, account: Account) -> dict[str, Series]:
    """Percentiles per second of intended time, and the whole distribution."""
    curves = {name: values() for name, values in _distributions(evidence, tally, account).items()}
    if evidence.plan.faults:
        curves["acknowledgement"] = _acknowledgements(evidence)
    found = {name: _per_second(values, _LABELS[name]) for name, values in curves.items() if len(values)}
    whole = {"delivery": curves["latency"], "completion": curves["completion"]}
    if any(len(values) for values in whole.values()):
        found["percentiles"] = _percentile_plot({name: values for name, values in whole.items() if len(values)})
    return found


def _acknowledgements(evidence: Evidence) -> Distribution:
    """Acknowledgement latency of every measured message that was acknowledged, by second of the window."""
    posts = evidence.recording.posts
    if not evidence.has_ledger:
        return Distribution.of(np.empty(0, np.int64))
    answered = evidence.measured & (evidence.outcome == ACKNOWLEDGED)
    return Distribution.of((posts["answered_ns"] - posts["intended_ns"])[answered], evidence.second[answered])


def _per_second(values: Distribution, label: str) -> Series:
    rows = values.quantiles_by_group_ms((0.5, 0.95, 0.99))
    lines = {name: tuple(row[index] for row in rows) for index, name in enumerate(("P50", "P95", "P99"))}
    return Series(
        x_label="seconds measured", y_label=label, x=tuple(float(second) for second in range(len(rows))), lines=lines
    )


def _percentile_plot(curves: Mapping[str, Distribution]) -> Series:
    """Quantiles at evenly spaced nines, as far as the smaller sample reaches: so the tail has room."""
    nines = np.log10(max(min(len(values) for values in curves.values()), 10))
    x = np.linspace(0.02, nines, CURVE_POINTS)
    quantiles = tuple((1 - 10**-x).tolist())
    lines = {name: tuple(values.curve_ms(quantiles)) for name, values in curves.items()}
    return Series(x_label="share of deliveries", y_label="latency (ms)", x=tuple(x.round(4).tolist()), lines=lines)


CHECKS: tuple[Check[Case], ...] = (
    limit_check(
        "latency_ms",
        "p99",
        planted_bug="tests/harness/checks/run/test_planted_bugs.py::test_slow_deliveries_are_red_for_latency_alone",
    ),
    limit_check(
        "live_latency_ms",
        "p99",
        planted_bug="tests/harness/checks/run/test_resilience.py::test_late_deliveries_outside_the_outage_are_live",
    ),
)
"""The limits of the catalogue's scenarios. An expectation of another figure gets its check from `limit_check`."""
