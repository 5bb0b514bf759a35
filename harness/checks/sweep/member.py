"""The row of figures of one run of a sweep, from its verdict and its recording."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from harness.checks.evidence.measured_window import measured_window
from harness.checks.run import resources
from harness.checks.statistics.distribution import percentiles
from harness.checks.statistics.interval import mean_interval
from harness.model.finding import Status, Verdict
from harness.model.measurements.resources import StatementFigures
from harness.model.measurements.run_measurements import Rates
from harness.model.measurements.sweep_measurements import SweepRun
from harness.model.sweep_plan import Member
from harness.recording.reader import Recording, Rows

STATEMENTS_SHOWN = 8
SYSTEM = ("server-", "database", "broker")
"""The names of the processes of the system under test begin like this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """A run of a sweep. ``verdict`` and ``recording`` are None if it left none, ``queries`` is empty if the database's
    log was not kept."""

    member: Member
    verdict: Verdict | None
    recording: Recording | None
    statements: Sequence[str] = ()
    queries: Rows | None = None


def row(ran: Ran) -> SweepRun:
    """One of `SweepMeasurements.runs`."""
    member, verdict = ran.member, ran.verdict
    planned = SweepRun(
        run=member.name,
        curve=member.curve,
        servers=member.servers,
        repetition=member.repetition,
        status=verdict.status if verdict else Status.UNKNOWN,
        clients=member.plan.clients,
        rate_hz=member.plan.rate_hz,
        planned_deliveries_hz=member.plan.deliveries_per_s,
    )
    if verdict is None or verdict.run is None or ran.recording is None:
        return planned
    measured, rates = verdict.run, verdict.run.rates
    samples = resources.samples(ran.recording)
    broker = resources.broker(member.plan, samples)
    return replace(
        _with_cost(planned, samples, rates),
        messages_hz=rates.messages_hz,
        deliveries_hz=rates.deliveries_hz,
        latency=measured.latency,
        completion=measured.completion,
        delivery=measured.delivery,
        steps=measured.steps,
        broker_cpu_us_per_message=_per(broker.cpu_cores if broker else None, rates.messages_hz, 1e6),
        broker_net_out_bytes_per_message=_per(broker.net_out_bytes_hz if broker else None, rates.messages_hz),
        broker=broker,
        database=replace(resources.database(samples), statements=_statements(ran, ran.recording)),
        server_rss_bytes=max((one.rss_bytes for one in measured.servers if one.rss_bytes is not None), default=None),
        memory_peak_bytes=measured.machine.memory_peak_bytes,
        connect_s=_connect_s(ran.recording),
    )


def _per(amount_hz: float | None, messages_hz: float | None, factor: float = 1.0) -> float | None:
    """A rate for each message; None if either is not known."""
    return None if amount_hz is None or not messages_hz else round(amount_hz / messages_hz * factor, 4)


def _with_cost(row: SweepRun, samples: Sequence[resources.Sample], rates: Rates) -> SweepRun:
    """The row with the CPU of the system under test, and the interval that its seconds give."""
    busy = np.array([spent for before, after in pairwise(samples) if (spent := _spent(before, after)) is not None])
    if not len(busy) or not rates.messages_hz:
        return row
    mean, ends = float(busy.mean()), mean_interval(busy)
    low, high = (None, None) if ends is None else (round(end / rates.messages_hz * 1e6, 2) for end in ends)
    return replace(
        row,
        system_cores=round(mean, 4),
        server_cores=_servers(samples),
        cpu_us_per_message=round(mean / rates.messages_hz * 1e6, 2),
        cpu_us_per_message_low=low,
        cpu_us_per_message_high=high,
        cpu_us_per_delivery=round(mean / rates.deliveries_hz * 1e6, 3) if rates.deliveries_hz else None,
    )


def _spent(before: resources.Sample, after: resources.Sample) -> float | None:
    """Cores that the system kept busy between two samples; None if one of its processes is only in one of them."""
    old, new = before.get("processes", {}), after.get("processes", {})
    names, earlier = ({name for name in found if name.startswith(SYSTEM)} for found in (new, old))
    if not names or names != earlier:
        return None
    cpu_s = sum(new[name]["cpu_s"] - old[name]["cpu_s"] for name in names)
    return float(cpu_s / ((after["at_ns"] - before["at_ns"]) / 1e9))


def _servers(samples: Sequence[resources.Sample]) -> float | None:
    names = {name for sample in samples for name in sample.get("processes", {}) if name.startswith("server-")}
    found = [busy for name in names if (busy := resources.cores(samples, name)) is not None]
    return round(sum(found), 4) if found else None


def _statements(ran: Ran, recording: Recording) -> tuple[StatementFigures, ...]:
    """Durations of the measured window by statement, the most frequent first."""
    if ran.queries is None or not len(ran.queries):
        return ()
    begin, end = measured_window(recording)
    inside = ran.queries[(ran.queries["at_ns"] >= begin) & (ran.queries["at_ns"] <= end)]
    found = []
    for number, text in enumerate(ran.statements):
        taken_ns = inside["duration_us"][inside["statement"] == number].astype(np.int64) * 1000
        if len(taken_ns):
            found.append(StatementFigures(statement=text, duration=percentiles(taken_ns)))
    return tuple(sorted(found, key=lambda one: one.duration.count, reverse=True)[:STATEMENTS_SHOWN])


def _connect_s(recording: Recording) -> float | None:
    began = {event.get("name"): event["at_ns"] for event in recording.events if event.get("event") == "phase"}
    if "connect" not in began or "probe" not in began:
        return None
    return round(float(began["probe"] - began["connect"]) / 1e9, 2)
