"""How long did deliveries take, counted from the intended time of the post?"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from harness.checks.evidence.evidence import Evidence
from harness.checks.evidence.tally import Tally
from harness.checks.run.delivery import Account
from harness.checks.statistics.distribution import Distribution, summary_ms
from harness.model.expectation import Expectation
from harness.model.finding import Finding, Kind, Series, Status
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
    "live_latency_ms": "latency of the deliveries that no fault stood in the way of",
    "completion_ms": "completion latency",
}


def measure(evidence: Evidence, tally: Tally, account: Account) -> dict[str, dict[str, Any]]:
    """The latency figures of `measurements`, over the measured window, in milliseconds.

    ``latency_ms``: intended time to receipt, per delivery. ``completion_ms``: to the last client's, per message that
    reached all. ``service_ms``: from the time really sent. ``acknowledgement_ms``: to the answer. ``send_late_ms``: how far
    the sender was behind. In a run with faults ``live_latency_ms`` and ``recovered_latency_ms`` part ``latency_ms`` in two,
    so that neither hides in the other: deliveries that no fault stood in the way of, and the others.
    """
    posts = evidence.recording.posts
    seed = evidence.plan.seed
    figures: dict[str, dict[str, Any]] = {
        f"{name}_ms": values.summary_ms() | _interval(values, seed)
        for name, values in _distributions(evidence, tally, account).items()
    }
    if len(posts) == len(evidence.schedule):
        sent = evidence.measured & (posts["sent_ns"] > 0)
        answered = evidence.measured & (evidence.outcome == ACKNOWLEDGED)
        late_ns = posts["sent_ns"] - posts["intended_ns"]
        figures["acknowledgement_ms"] = summary_ms((posts["answered_ns"] - posts["intended_ns"])[answered])
        figures["send_late_ms"] = summary_ms(late_ns[sent])
    return figures


def _distributions(evidence: Evidence, tally: Tally, account: Account) -> dict[str, Distribution]:
    """By second of the measured window."""
    timings = tally.timings
    halves = {"live_latency": timings.live, "recovered_latency": timings.recovered} if evidence.plan.faults else {}
    return {"latency": timings.latency, "completion": completion(evidence, tally, account), **halves}


def completion(evidence: Evidence, tally: Tally, account: Account) -> Distribution:
    """Completion latency of every measured message that reached its whole audience."""
    whole = evidence.measured & (account.delivered >= evidence.audience[evidence.channel])
    return Distribution.of(tally.last_ns[whole] - evidence.intended_ns[whole], evidence.second[whole])


def findings(evidence: Evidence, figures: Mapping[str, Mapping[str, Any]]) -> list[Finding]:
    return [_finding(expectation, figures.get(expectation.measure, {})) for expectation in evidence.plan.expectations]


def _finding(expectation: Expectation, figures: Mapping[str, Any]) -> Finding:
    measured = figures.get(expectation.statistic)
    count = int(figures.get("count", 0))
    unit = "messages" if expectation.measure == "completion_ms" else "deliveries"
    name = f"{expectation.statistic.upper()} of the {_NAMES[expectation.measure]}"
    if measured is None:
        status, summary = Status.UNKNOWN, f"no {unit} were timed"
    else:
        status = Status.PASS if measured < expectation.limit_ms else Status.FAIL
        relation = "below" if status is Status.PASS else "not below"
        summary = f"{name} is {measured:.1f} ms, {relation} {expectation.limit_ms:g} ms"
    low, high = figures.get("p99_low"), figures.get("p99_high")
    interval = (
        f"{low:.1f} to {high:.1f} ms at 95 %, block bootstrap over seconds"
        if low is not None and high is not None
        else ""
    )
    return Finding(
        check=f"{expectation.measure}.{expectation.statistic}",
        kind=Kind.PERFORMANCE,
        status=status,
        summary=summary,
        measured={f"{expectation.statistic}_ms": measured},
        expected={f"{expectation.statistic}_ms_below": expectation.limit_ms},
        samples=count,
        confidence=interval if expectation.statistic == "p99" else "",
    )


def _interval(values: Distribution, seed: int) -> dict[str, float]:
    found = values.interval_ms(0.99, seed=seed)
    return {} if found is None else {"p99_low": found[0], "p99_high": found[1]}


def series(evidence: Evidence, tally: Tally, account: Account) -> dict[str, Series]:
    """Percentiles per second of intended time, and the whole distribution."""
    curves = _distributions(evidence, tally, account)
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
    if len(posts) != len(evidence.schedule):
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
    """Quantiles at evenly spaced nines, as far as the smaller sample reaches: the tail gets the room that it needs."""
    nines = np.log10(max(min(len(values) for values in curves.values()), 10))
    x = np.linspace(0.02, nines, CURVE_POINTS)
    quantiles = tuple((1 - 10**-x).tolist())
    lines = {name: tuple(values.curve_ms(quantiles)) for name, values in curves.items()}
    return Series(x_label="share of deliveries", y_label="latency (ms)", x=tuple(x.round(4).tolist()), lines=lines)
