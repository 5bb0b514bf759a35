"""How long did deliveries take, counted from the intended time of the post?"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.checks.delivery import Account
from harness.checks.evidence import Evidence, Ints
from harness.checks.statistics import bootstrap_quantile_ms, quantiles_ms, summary_ms
from harness.checks.tally import Tally
from harness.model.expectation import Expectation
from harness.model.finding import Finding, Kind, Series, Status
from harness.recording.format import ACKNOWLEDGED

CURVE_POINTS = 120
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
    last, when = completion(evidence, tally, account)
    posts = evidence.recording.posts
    figures: dict[str, dict[str, Any]] = {
        "latency_ms": summary_ms(tally.latency_ns) | _interval(evidence, tally.latency_ns, tally.second),
        "completion_ms": summary_ms(last) | _interval(evidence, last, when),
    }
    for name, which in _halves(evidence, tally).items():
        values, seconds = tally.latency_ns[which], tally.second[which]
        figures[f"{name}_ms"] = summary_ms(values) | _interval(evidence, values, seconds)
    if len(posts) == len(evidence.schedule):
        sent = evidence.measured & (posts["sent_ns"] > 0)
        answered = evidence.measured & (evidence.outcome == ACKNOWLEDGED)
        late_ns = posts["sent_ns"] - posts["intended_ns"]
        figures["acknowledgement_ms"] = summary_ms((posts["answered_ns"] - posts["intended_ns"])[answered])
        figures["send_late_ms"] = summary_ms(late_ns[sent])
    return figures


def _halves(evidence: Evidence, tally: Tally) -> dict[str, NDArray[np.bool_]]:
    return {"live_latency": ~tally.disturbed, "recovered_latency": tally.disturbed} if evidence.plan.faults else {}


def completion(evidence: Evidence, tally: Tally, account: Account) -> tuple[Ints, Ints]:
    """(completion latency in ns, second of the window) of every measured message that reached its whole audience."""
    whole = evidence.measured & (account.delivered >= evidence.audience[evidence.channel])
    window_ns = evidence.start_ns + int(evidence.plan.warm_up_s * 1e9)
    second = np.maximum((evidence.intended_ns[whole] - window_ns) // 1_000_000_000, 0)
    return tally.last_ns[whole] - evidence.intended_ns[whole], second


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


def _interval(evidence: Evidence, values_ns: Ints, seconds: Ints) -> dict[str, float]:
    found = bootstrap_quantile_ms(values_ns, seconds, 0.99, seed=evidence.plan.seed)
    return {} if found is None else {"p99_low": found[0], "p99_high": found[1]}


def series(evidence: Evidence, tally: Tally, account: Account) -> dict[str, Series]:
    """Percentiles per second of intended time, and the whole distribution."""
    last, when = completion(evidence, tally, account)
    curves_of = [
        ("latency", tally.latency_ns, tally.second, "delivery latency (ms)"),
        ("completion", last, when, "completion latency (ms)"),
        *(
            (name, tally.latency_ns[which], tally.second[which], "delivery latency (ms)")
            for name, which in _halves(evidence, tally).items()
        ),
    ]
    if evidence.plan.faults:
        curves_of.append(("acknowledgement", *_acknowledgements(evidence), "acknowledgement latency (ms)"))
    found = {}
    for name, values, seconds, label in curves_of:
        if len(values):
            found[name] = _per_second(values, seconds, label)
    curves = {"delivery": tally.latency_ns, "completion": last}
    if any(len(values) for values in curves.values()):
        found["percentiles"] = _percentile_plot({name: values for name, values in curves.items() if len(values)})
    return found


def _acknowledgements(evidence: Evidence) -> tuple[Ints, Ints]:
    """(acknowledgement latency in ns, second of the window) of every measured message that was acknowledged."""
    posts = evidence.recording.posts
    if len(posts) != len(evidence.schedule):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    answered = evidence.measured & (evidence.outcome == ACKNOWLEDGED)
    window_ns = evidence.start_ns + int(evidence.plan.warm_up_s * 1e9)
    second = np.maximum((evidence.intended_ns[answered] - window_ns) // 1_000_000_000, 0)
    return (posts["answered_ns"] - posts["intended_ns"])[answered], second


def _per_second(values_ns: Ints, seconds: Ints, label: str) -> Series:
    count = int(seconds.max()) + 1
    # Seconds fit 16 bits, which sort by radix.
    order = np.argsort(seconds.astype(np.uint16) if count < 65_536 else seconds, kind="stable")
    pieces = np.split(values_ns[order], np.searchsorted(seconds[order], np.arange(1, count)))
    rows = [quantiles_ms(piece, (0.5, 0.95, 0.99)) if len(piece) else [None] * 3 for piece in pieces]
    lines = {name: tuple(row[index] for row in rows) for index, name in enumerate(("P50", "P95", "P99"))}
    return Series(x_label="seconds measured", y_label=label, x=tuple(float(s) for s in range(count)), lines=lines)


def _percentile_plot(curves: Mapping[str, Ints]) -> Series:
    """Quantiles at evenly spaced nines, as far as the smaller sample reaches: the tail gets the room that it needs."""
    nines = np.log10(max(min(len(values) for values in curves.values()), 10))
    x = np.linspace(0.02, nines, CURVE_POINTS)
    quantiles = tuple((1 - 10**-x).tolist())
    lines = {name: tuple(quantiles_ms(values, quantiles)) for name, values in curves.items()}
    return Series(x_label="share of deliveries", y_label="latency (ms)", x=tuple(x.round(4).tolist()), lines=lines)
