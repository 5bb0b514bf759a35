"""How long did deliveries take, counted from the intended time of the post?"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from math import ceil

import numpy as np

from harness.checks.evidence.account import Account
from harness.checks.evidence.attempts import Attempts
from harness.checks.evidence.evidence import Evidence, slice_s
from harness.checks.evidence.tally import Tally
from harness.checks.statistics.distribution import Distribution, percentiles
from harness.model.expectation import Measure
from harness.model.finding import Series
from harness.model.measurements.percentiles import Percentiles
from harness.recording.format import ACKNOWLEDGED

CURVE_POINTS = 120
SERVER_GROUPS_AT_MOST = 4096
"""(slice, server) pairs that are counted at once: 27 MB"""
_LABELS = {
    "latency": "delivery latency (ms)",
    "live_latency": "delivery latency (ms)",
    "recovered_latency": "delivery latency (ms)",
    "completion": "completion latency (ms)",
    "acknowledgement": "acknowledgement latency (ms)",
}


def measure(evidence: Evidence, tally: Tally, account: Account, attempts: Attempts) -> dict[str, Percentiles]:
    """The latencies of `RunMeasurements` by the name of the field; a latency that the recording does not have is
    absent."""
    posts = evidence.recording.posts
    found = {
        name: attempts.make(name, partial(_with_interval, values), None)
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


def _with_interval(distribution: Callable[[], Distribution]) -> Percentiles:
    values = distribution()
    found = values.interval_ms(0.99)
    if found is None:
        return values.percentiles()
    return replace(values.percentiles(), p99_low_ms=found.low_ms, p99_high_ms=found.high_ms)


def distribution(evidence: Evidence, tally: Tally, account: Account, measure: Measure) -> Distribution:
    """The percentiles of an expectation; empty if not measured."""
    found = _distributions(evidence, tally, account).get(measure.removesuffix("_ms"))
    return Distribution.of(np.empty(0, np.int64)) if found is None else found()


def _distributions(evidence: Evidence, tally: Tally, account: Account) -> dict[str, Callable[[], Distribution]]:
    """By second of the measured window. If nothing was disturbed, all deliveries are live, and the two halves are
    absent."""
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
    whole = evidence.timed & (account.delivered >= evidence.audience[evidence.channel])
    return Distribution.of(tally.receipts.last_ns[whole] - evidence.intended_ns[whole], evidence.second[whole])


def series(evidence: Evidence, tally: Tally, account: Account) -> dict[str, Series]:
    """Percentiles per second of intended time, and the whole distribution."""
    curves = {name: values() for name, values in _distributions(evidence, tally, account).items()}
    if evidence.plan.faults:
        curves["acknowledgement"] = _acknowledgements(evidence)
    width_s = slice_s(evidence.plan)
    found = {name: _per_second(values, _LABELS[name], width_s) for name, values in curves.items() if len(values)}
    if evidence.plan.servers > 1 and len(curves["latency"]):
        found["server_latency"] = _by_server(tally, curves["latency"].groups, evidence.plan.servers, width_s)
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


def _per_second(values: Distribution, label: str, width_s: int) -> Series:
    rows = values.quantiles_by_group_ms((0.5, 0.95, 0.99))
    lines = {name: tuple(row[index] for row in rows) for index, name in enumerate(("P50", "P95", "P99"))}
    return Series(
        x_label="seconds measured",
        y_label=label,
        x=tuple(float(number * width_s) for number in range(len(rows))),
        lines=lines,
    )


def _by_server(tally: Tally, seconds: int, servers: int, width_s: int) -> Series:
    """The P99 of the deliveries of each server over time, in slices that are wider where there are many servers."""
    together = max(1, ceil(seconds * servers / SERVER_GROUPS_AT_MOST))
    rows = tally.timings.by_slice_and_server(together, servers).quantiles_by_group_ms((0.99,))
    slices = len(rows) // servers
    return Series(
        x_label="seconds measured",
        y_label=_LABELS["latency"],
        x=tuple(float(number * together * width_s) for number in range(slices)),
        lines={
            f"server-{server + 1}": tuple(rows[number * servers + server][0] for number in range(slices))
            for server in range(servers)
        },
    )


def _percentile_plot(curves: Mapping[str, Distribution]) -> Series:
    """Quantiles at evenly spaced nines, as far as the smaller sample allows, so that the tail is visible."""
    nines = np.log10(max(min(len(values) for values in curves.values()), 10))
    x = np.linspace(0.02, nines, CURVE_POINTS)
    quantiles = tuple((1 - 10**-x).tolist())
    lines = {name: tuple(values.curve_ms(quantiles)) for name, values in curves.items()}
    return Series(x_label="share of deliveries", y_label="latency (ms)", x=tuple(x.round(4).tolist()), lines=lines)
