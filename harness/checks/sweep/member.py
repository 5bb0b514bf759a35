"""What one run of a sweep contributes to it: a row of figures, from its verdict and its recording."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from harness.checks.run.resources import cores, rate
from harness.checks.statistics.distribution import summary_ms
from harness.model.finding import Verdict
from harness.model.sweep_plan import Member
from harness.recording.reader import Recording, Rows

RESAMPLES = 500
STATEMENTS_SHOWN = 8
SYSTEM = ("server-", "database", "broker")
"""Names of the processes that are the system under test begin so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """A run of a sweep. ``verdict`` and ``recording`` are None where it left none, ``queries`` is empty where PostgreSQL's
    log was not kept."""

    member: Member
    verdict: Verdict | None
    recording: Recording | None
    statements: Sequence[str] = ()
    queries: Rows | None = None


def row(ran: Ran) -> dict[str, Any]:
    """`measurements.sweep.runs[…]`. What could not be measured is absent."""
    member, verdict = ran.member, ran.verdict
    found: dict[str, Any] = {
        "run": member.name,
        "curve": str(member.curve),
        "servers": member.servers,
        "repetition": member.repetition,
        "status": str(verdict.status) if verdict else "unknown",
        "clients": member.plan.clients,
        "rate_hz": member.plan.rate_hz,
        "planned_deliveries_hz": member.plan.deliveries_per_s,
    }
    if verdict is None or ran.recording is None:
        return found
    measured = verdict.measurements
    found |= {
        "latency_ms": measured.get("latency_ms", {}),
        "completion_ms": measured.get("completion_ms", {}),
        "delivery": measured.get("delivery_by_phase", {}),
        "steps_ms": {step: values.get("p99") for step, values in measured.get("steps_ms", {}).items()},
        **{key: measured.get("rates", {}).get(key) for key in ("messages_hz", "deliveries_hz")},
    }
    samples = _measured(ran.recording)
    found |= _cost(samples, found.get("messages_hz"), found.get("deliveries_hz"), member.plan.seed)
    found["broker"] = _redis(samples, found.get("messages_hz"))
    found["database"] = _postgres(samples) | {"statements": _queries(ran)}
    servers = measured.get("servers", {}).values()
    found["server_rss_bytes"] = max((server.get("rss_bytes", 0) for server in servers), default=None)
    found["memory_peak_bytes"] = measured.get("resources", {}).get("machine", {}).get("memory_peak_bytes")
    found["connect_s"] = _connect_s(ran.recording)
    return _known(found)


def _known(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


def _window(recording: Recording) -> tuple[int, int]:
    event = recording.event("schedule")
    if event is None:
        return 0, 0
    begin = int(event["start_ns"]) + int(recording.plan.warm_up_s * 1e9)
    return begin, begin + int(recording.plan.duration_s * 1e9)


def _measured(recording: Recording) -> list[Mapping[str, Any]]:
    begin, end = _window(recording)
    return [sample for sample in recording.telemetry if begin <= sample["at_ns"] <= end]


def _cost(
    samples: Sequence[Mapping[str, Any]], messages_hz: float | None, deliveries_hz: float | None, seed: int
) -> dict[str, Any]:
    """CPU of the system under test, as cores and per message, with the interval that its seconds give."""
    busy = np.array([spent for before, after in pairwise(samples) if (spent := _spent(before, after)) is not None])
    if not len(busy) or not messages_hz:
        return {}
    mean = float(busy.mean())
    found: dict[str, Any] = {
        "system_cores": round(mean, 4),
        "server_cores": _round(_servers(samples)),
        "cpu_us_per_message": round(mean / messages_hz * 1e6, 2),
    }
    if deliveries_hz:
        found["cpu_us_per_delivery"] = round(mean / deliveries_hz * 1e6, 3)
    if len(busy) >= 5:
        drawn = np.random.default_rng(seed).choice(busy, (RESAMPLES, len(busy))).mean(axis=1) / messages_hz * 1e6
        low, high = np.quantile(drawn, [0.025, 0.975])
        found |= {"cpu_us_per_message_low": round(float(low), 2), "cpu_us_per_message_high": round(float(high), 2)}
    return found


def _spent(before: Mapping[str, Any], after: Mapping[str, Any]) -> float | None:
    """Cores that the system kept busy between two samples; None where one of its processes is in one of them only."""
    old, new = before.get("processes", {}), after.get("processes", {})
    names = [name for name in new if name.startswith(SYSTEM)]
    if not names or any(name not in old for name in names):
        return None
    cpu_s = sum(new[name]["cpu_s"] - old[name]["cpu_s"] for name in names)
    return float(cpu_s / ((after["at_ns"] - before["at_ns"]) / 1e9))


def _servers(samples: Sequence[Mapping[str, Any]]) -> float | None:
    names = {name for sample in samples for name in sample.get("processes", {}) if name.startswith("server-")}
    found = [busy for name in names if (busy := cores(samples, name)) is not None]
    return sum(found) if found else None


def _redis(samples: Sequence[Mapping[str, Any]], messages_hz: float | None) -> dict[str, Any]:
    found = {
        "cpu_cores": rate(samples, "broker", "cpu_s"),
        "net_in_bytes_hz": rate(samples, "broker", "net_in_bytes"),
        "net_out_bytes_hz": rate(samples, "broker", "net_out_bytes"),
        "commands_hz": rate(samples, "broker", "commands"),
    }
    if messages_hz:
        cpu, out = found["cpu_cores"], found["net_out_bytes_hz"]
        found["cpu_us_per_message"] = None if cpu is None else cpu / messages_hz * 1e6
        found["net_out_bytes_per_message"] = None if out is None else out / messages_hz
    for key in ("pubsub_channels", "subscriptions", "clients", "output_buffer_bytes", "subscriber_output_bytes"):
        found[key] = max((s["broker"][key] for s in samples if key in s.get("broker", {})), default=None)
    return {key: _round(value) for key, value in found.items() if value is not None}


def _postgres(samples: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    found = {
        "transactions_hz": rate(samples, "database", "commits"),
        "wal_bytes_hz": rate(samples, "database", "wal_bytes"),
        "cpu_cores": cores(samples, "database"),
    }
    return {key: _round(value) for key, value in found.items() if value is not None}


def _queries(ran: Ran) -> list[dict[str, Any]]:
    """Durations of the measured window by statement, the most frequent first."""
    if ran.queries is None or ran.recording is None or not len(ran.queries):
        return []
    begin, end = _window(ran.recording)
    inside = ran.queries[(ran.queries["at_ns"] >= begin) & (ran.queries["at_ns"] <= end)]
    found: list[dict[str, Any]] = []
    for number, text in enumerate(ran.statements):
        taken_ns = inside["duration_us"][inside["statement"] == number].astype(np.int64) * 1000
        if len(taken_ns):
            found.append({"statement": text, "duration_ms": summary_ms(taken_ns)})
    return sorted(found, key=lambda one: one["duration_ms"]["count"], reverse=True)[:STATEMENTS_SHOWN]


def _connect_s(recording: Recording) -> float | None:
    began = {event.get("name"): event["at_ns"] for event in recording.events if event.get("event") == "phase"}
    if "connect" not in began or "probe" not in began:
        return None
    return round(float(began["probe"] - began["connect"]) / 1e9, 2)


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 4) if isinstance(value, float) else value
