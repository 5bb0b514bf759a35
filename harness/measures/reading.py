"""Verdict → measures: each with the run's own 95 % interval, if the run has one."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.checks.statistics.interval import mean_interval
from harness.model.capacity import Capacity
from harness.model.finding import Series, Verdict
from harness.model.history import Measured
from harness.model.measurements.percentiles import Percentiles
from harness.model.measurements.run_measurements import RunMeasurements

_CPU_LINES = {
    "servers": ("servers",),
    "broker": ("broker",),
    "database": ("database",),
    "generator": ("load workers", "publisher"),
}
"""Role → its lines in the series ``cpu``."""


def measures_of(verdict: Verdict) -> dict[str, Measured]:
    """The measures of one run, by name (`harness.model.measure`). A sweep as a whole has none."""
    run = verdict.run
    if run is None:
        return {}
    found = _cpu(verdict, run) | _latencies(run) | _memory(run) | _recovery(run)
    # A figure of 0 has no logarithm, and means that it was not measured.
    return {name: measured for name, measured in found.items() if 0 < measured.value < math.inf}


def capacity_measures(capacity: Capacity) -> dict[str, Measured]:
    """The load that held, and the smallest that broke as the upper end."""
    if capacity.value is None:
        return {}
    high = None if capacity.broke_at is None else float(capacity.broke_at)
    return {"capacity": Measured(value=float(capacity.value), low=float(capacity.value), high=high)}


def _cpu(verdict: Verdict, run: RunMeasurements) -> dict[str, Measured]:
    deliveries_hz = run.rates.deliveries_hz
    if not deliveries_hz:
        return {}
    generator = [*(worker.cpu_cores for worker in run.workers), run.publisher.cpu_cores]
    cores = {
        "servers": _sum([server.cpu_cores for server in run.servers]),
        "broker": run.broker.cpu_cores if run.broker else None,
        "database": run.database.cpu_cores if run.database else None,
        "generator": _sum(generator),
    }
    found = {}
    if cores["servers"] is not None and cores["generator"]:
        found["servers_to_generator_cpu_ratio"] = Measured(value=cores["servers"] / cores["generator"])
    for role, used in cores.items():
        if used is not None:
            scale = 1e6 / deliveries_hz
            low, high = _around(used, _by_second(verdict.series.get("cpu"), _CPU_LINES[role]))
            found[f"{role}_cpu_us_per_delivery"] = Measured(
                value=used * scale,
                low=None if low is None else max(0.0, low * scale),
                high=None if high is None else high * scale,
            )
    return found


def _sum(values: Sequence[float | None]) -> float | None:
    """The sum if every part was measured: a sum of some parts would look like an improvement."""
    known = [value for value in values if value is not None]
    return sum(known) if known and len(known) == len(values) else None


def _by_second(series: Series | None, names: tuple[str, ...]) -> NDArray[Any] | None:
    """The sum of the lines of one role in each second of the measured window; None if a second lacks one."""
    if series is None:
        return None
    lines = [series.lines[name] for name in names if name in series.lines]
    inside = [index for index, at_s in enumerate(series.x) if at_s >= 0]
    if not lines or not inside:
        return None
    rows = [[line[index] for line in lines] for index in inside]
    whole = [[value for value in row if value is not None] for row in rows]
    return np.array([sum(row) for row in whole if len(row) == len(lines)])


def _around(value: float, by_second: NDArray[Any] | None) -> tuple[float | None, float | None]:
    """The interval of a mean, moved to ``value``: the means of telemetry and series differ at their ends."""
    found = None if by_second is None else mean_interval(by_second)
    if found is None or by_second is None:
        return None, None
    mean = float(by_second.mean())
    return value + found[0] - mean, value + found[1] - mean


def _latencies(run: RunMeasurements) -> dict[str, Measured]:
    found: dict[str, Measured] = {}
    for name, percentiles in (("delivery", run.latency), ("completion", run.completion)):
        found |= _percentile(f"{name}_p50_ms", percentiles.p50_ms)
        found |= _p99(f"{name}_p99_ms", percentiles)
        found |= _percentile(f"{name}_p999_ms", percentiles.p999_ms)
    if run.acknowledgement is not None:
        found |= _p99("acknowledgement_p99_ms", run.acknowledgement)
    return found


def _percentile(name: str, value: float | None) -> dict[str, Measured]:
    return {} if value is None else {name: Measured(value=value)}


def _p99(name: str, percentiles: Percentiles) -> dict[str, Measured]:
    if percentiles.p99_ms is None:
        return {}
    # Without an upper end, the lower end alone would look like a narrower interval.
    bounded = percentiles.p99_high_ms is not None
    return {
        name: Measured(
            value=percentiles.p99_ms,
            low=percentiles.p99_low_ms if bounded else None,
            high=percentiles.p99_high_ms,
        )
    }


def _memory(run: RunMeasurements) -> dict[str, Measured]:
    clients = sum(server.clients for server in run.servers)
    resident = _sum([None if server.rss_bytes is None else float(server.rss_bytes) for server in run.servers])
    if resident is None or not clients:
        return {}
    return {"server_bytes_per_connection": Measured(value=resident / clients)}


def _recovery(run: RunMeasurements) -> dict[str, Measured]:
    recovery = run.recovery
    if recovery is None:
        return {}
    resubscribed = [server.resubscribed_s for server in recovery.servers]
    known = [value for value in resubscribed if value is not None]
    found: dict[str, float | None] = {
        "recovery_resubscribed_s": max(known) if known and len(known) == len(resubscribed) else None,
        "recovery_backfilled_s": recovery.backfilled_s,
        "recovery_reconnected_p99_s": recovery.reconnected.p99_s if recovery.reconnected else None,
    }
    return {name: Measured(value=value) for name, value in found.items() if value is not None}
