"""Curves over time of processes, database, broker and machine, for the report."""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

import numpy as np

from harness.checks.evidence.evidence import Evidence
from harness.checks.evidence.loop_lag import waits_ns
from harness.checks.run.resources import Sample
from harness.model.finding import Series


def series(evidence: Evidence) -> dict[str, Series]:
    """Curves over time for the report: one point per sample, from shortly before the measured window to its end."""
    begin, _ = evidence.window_ns
    origin = begin or (evidence.recording.telemetry[0]["at_ns"] if evidence.recording.telemetry else 0)
    every = evidence.recording.telemetry
    if len(every) < 2:
        return {}
    x = tuple(round((sample["at_ns"] - origin) / 1e9, 2) for sample in every[1:])
    found = {
        "cpu": _curves(x, "cores", _cpu_lines(evidence, every)),
        "memory": _curves(x, "bytes", _memory_lines(evidence, every)),
    }
    if evidence.plan.servers > 1:
        names = _groups(evidence)["servers"]
        cpu = {name: _rates(every, _sum_of((name,), "cpu_s")) for name in names}
        memory = {name: tuple(_sum(sample, (name,), "rss_bytes") for sample in every[1:]) for name in names}
        found |= {"server_cpu": _curves(x, "cores", cpu), "server_memory": _curves(x, "bytes", memory)}
    for name, unit, group, keys in (
        ("broker_traffic", "bytes/s", "broker", {"broker in": "net_in_bytes", "broker out": "net_out_bytes"}),
        ("broker_commands", "commands/s", "broker", {"broker": "commands"}),
        ("database_commits", "per second", "database", {"commits": "commits", "rows": "rows_inserted"}),
        ("database_wal", "bytes/s", "database", {"database": "wal_bytes"}),
    ):
        found[name] = _curves(x, unit, {line: _rates(every, _of(group, key)) for line, key in keys.items()})
    found |= _heartbeat_series(evidence, origin)
    return {
        name: curve for name, curve in found.items() if any(any(v is not None for v in c) for c in curve.lines.values())
    }


def _curves(x: tuple[float, ...], unit: str, lines: Mapping[str, tuple[float | None, ...]]) -> Series:
    return Series(x_label="seconds measured", y_label=unit, x=x, lines=lines)


def _cpu_lines(evidence: Evidence, every: Sequence[Sample]) -> dict[str, tuple[float | None, ...]]:
    lines = {group: _rates(every, _sum_of(names, "cpu_s")) for group, names in _groups(evidence).items()}
    return lines | {"steal": _rates(every, _of("machine", "steal_s"))}


def _memory_lines(evidence: Evidence, every: Sequence[Sample]) -> dict[str, tuple[float | None, ...]]:
    return {
        group: tuple(_sum(sample, names, "rss_bytes") for sample in every[1:])
        for group, names in _groups(evidence).items()
    }


def _groups(evidence: Evidence) -> dict[str, tuple[str, ...]]:
    plan = evidence.plan
    return {
        "servers": tuple(f"server-{number + 1}" for number in range(plan.servers)),
        "database": ("database",),
        "broker": ("broker",),
        "load workers": tuple(f"worker-{number:02}" for number in range(plan.workers)),
        "publisher": ("publisher",),
    }


def _sum(sample: Sample, names: Sequence[str], key: str) -> float | None:
    seen = [sample["processes"][name][key] for name in names if name in sample.get("processes", {})]
    return sum(seen) if seen else None


def _sum_of(names: tuple[str, ...], key: str) -> Callable[[Sample], float | None]:
    return lambda sample: _sum(sample, names, key)


def _of(group: str, key: str) -> Callable[[Sample], float | None]:
    return lambda sample: sample.get(group, {}).get(key)


def _rates(every: Sequence[Sample], value: Callable[[Sample], float | None]) -> tuple[float | None, ...]:
    """Increase per second from sample to sample; None if one of the two lacks it or a counter began again."""
    rates: list[float | None] = []
    for before, after in pairwise(every):
        old, new = value(before), value(after)
        seconds = (after["at_ns"] - before["at_ns"]) / 1e9
        known = old is not None and new is not None and new >= old and seconds > 0
        rates.append(round((new - old) / seconds, 4) if known else None)  # type: ignore[operator]  # known says so
    return tuple(rates)


def _heartbeat_series(evidence: Evidence, origin_ns: int) -> dict[str, Series]:
    """Posts, deliveries and loop lag per second, from the heartbeats of the load generator."""
    heartbeats = evidence.heartbeats
    if not any(len(heartbeat) for heartbeat in heartbeats.values()):
        return {}
    last_s = max(
        int((heartbeat["at_ns"][-1] - origin_ns) // 1_000_000_000)
        for heartbeat in heartbeats.values()
        if len(heartbeat)
    )
    first_s = min(
        int((heartbeat["at_ns"][0] - origin_ns) // 1_000_000_000) for heartbeat in heartbeats.values() if len(heartbeat)
    )
    edges = origin_ns + np.arange(first_s, last_s + 2) * 1_000_000_000
    x = tuple(float(second) for second in range(first_s, last_s + 1))
    counts = {"messages": np.zeros(len(x)), "deliveries": np.zeros(len(x))}
    lag: dict[str, tuple[float | None, ...]] = {}
    for name, heartbeat in sorted(heartbeats.items()):
        if not len(heartbeat):
            continue
        at = np.interp(edges, heartbeat["at_ns"], heartbeat["count"], left=0)
        counts["messages" if name == "publisher" else "deliveries"] += np.diff(at)
        worst = np.full(len(x), -1, np.int64)
        for due_ns, wait_ns in waits_ns(heartbeat, int(edges[0]), int(edges[-1])):
            np.maximum.at(worst, (due_ns - int(edges[0])) // 1_000_000_000, wait_ns)
        lag[name] = tuple(round(float(value) / 1e6, 3) if value >= 0 else None for value in worst)
    lines = {name: tuple(values.round(1).tolist()) for name, values in counts.items()}
    return {"rate": _curves(x, "per second", lines), "lag": _curves(x, "ms", lag)}
