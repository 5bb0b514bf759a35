"""What the processes, the database, the broker and the machine did meanwhile, from the telemetry."""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from harness.checks.evidence.evidence import Evidence
from harness.checks.evidence.tally import Tally
from harness.checks.statistics.distribution import quantiles_ms
from harness.model.finding import Series

Sample = Mapping[str, Any]


def window(evidence: Evidence) -> tuple[int, int]:
    """(begin, end) of the measured window in ns; (0, 0) where it was never reached."""
    if not evidence.start_ns:
        return 0, 0
    begin = evidence.start_ns + int(evidence.plan.warm_up_s * 1e9)
    return begin, begin + int(evidence.plan.duration_s * 1e9)


def samples(evidence: Evidence) -> list[Sample]:
    """The telemetry of the measured window."""
    begin, end = window(evidence)
    return [sample for sample in evidence.recording.telemetry if begin <= sample["at_ns"] <= end]


def rate(found: Sequence[Sample], group: str, key: str) -> float | None:
    """Increase per second of a cumulative counter over the window; None where it was not sampled twice."""
    seen = [(sample["at_ns"], sample[group][key]) for sample in found if key in sample.get(group, {})]
    if len(seen) < 2 or seen[-1][0] <= seen[0][0]:
        return None
    # Who was started again counts from zero.
    increase = sum(new - old if new >= old else new for (_, old), (_, new) in pairwise(seen))
    return float(increase / ((seen[-1][0] - seen[0][0]) / 1e9))


def cores(found: Sequence[Sample], process: str) -> float | None:
    """Mean cores that a process kept busy over the window."""
    seen = [{"at_ns": s["at_ns"], "p": s["processes"][process]} for s in found if process in s.get("processes", {})]
    return rate(seen, "p", "cpu_s")


def measure(evidence: Evidence, tally: Tally) -> dict[str, Any]:
    """`measurements.servers`, `workers`, `publisher`, `resources`."""
    found = samples(evidence)
    machine = {
        "busy_cores": rate(found, "machine", "busy_s"),
        "steal_cores": rate(found, "machine", "steal_s"),
        "retransmits_hz": rate(found, "machine", "retransmits"),
        "listen_overflows_hz": rate(found, "machine", "listen_overflows"),
        "memory_peak_bytes": max(
            (s["machine"]["memory_used_bytes"] for s in evidence.recording.telemetry), default=None
        ),
    }
    redis = {
        f"{key}_hz" if not key.endswith("_s") else "cpu_cores": rate(found, "broker", key)
        for key in ("cpu_s", "net_in_bytes", "net_out_bytes", "commands")
    }
    redis |= {
        key: found[-1]["broker"].get(key) for key in ("pubsub_channels", "clients") if found and "broker" in found[-1]
    }
    postgres = {
        f"{key}_hz": rate(found, "database", key) for key in ("commits", "rows_inserted", "wal_bytes", "wal_syncs")
    }
    postgres["cpu_cores"] = cores(found, "database")
    return {
        "servers": _servers(evidence, tally, found),
        "workers": _workers(evidence, found),
        "publisher": _rounded({"cpu_cores": cores(found, "publisher"), "rss_bytes": _rss(found, "publisher")}),
        "resources": {
            name: _rounded(part) for name, part in (("machine", machine), ("broker", redis), ("database", postgres))
        },
    }


def _servers(evidence: Evidence, tally: Tally, found: Sequence[Sample]) -> dict[str, dict[str, Any]]:
    rows = {}
    latencies = tally.timings.by_server.quantiles_by_group_ms((0.5, 0.99))
    for server in range(evidence.plan.servers):
        name = f"server-{server + 1}"
        p50, p99 = latencies[server] if server < len(latencies) else (None, None)
        accepted = evidence.recording.accepted.get(server)
        delivered = evidence.recording.delivered.get(server)
        rows[name] = _rounded(
            {
                "clients": int((evidence.client_server == server).sum()),
                "accepted": None if accepted is None else len(accepted),
                "delivered_sockets": None if delivered is None else int(delivered["sockets"].sum()),
                "p50_ms": p50,
                "p99_ms": p99,
                "cpu_cores": cores(found, name),
                "rss_bytes": _rss(found, name),
            }
        )
    return rows


def _workers(evidence: Evidence, found: Sequence[Sample]) -> dict[str, dict[str, Any]]:
    rows = {}
    begin, end = window(evidence)
    for name, heartbeat in sorted(evidence.recording.heartbeats.items()):
        if not name.startswith("worker-"):
            continue
        inside = heartbeat[(heartbeat["at_ns"] >= begin) & (heartbeat["at_ns"] <= end)]
        late = quantiles_ms(inside["late_ns"].astype(np.int64), (0.99,))[0] if len(inside) else None
        rows[name] = _rounded(
            {
                "clients": int(heartbeat["connected"].max(initial=0)),
                "deliveries": int(heartbeat["count"].max(initial=0)),
                "cpu_cores": cores(found, name),
                "lag_p99_ms": late,
                "rss_bytes": _rss(found, name),
            }
        )
    return rows


def _rss(found: Sequence[Sample], process: str) -> int | None:
    seen = [s["processes"][process]["rss_bytes"] for s in found if process in s.get("processes", {})]
    return int(max(seen)) if seen else None


def _rounded(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: round(value, 4) if isinstance(value, float) else value
        for key, value in values.items()
        if value is not None
    }


def series(evidence: Evidence) -> dict[str, Series]:
    """Curves over time for the report: one point per sample, from shortly before the measured window to its end."""
    begin, _ = window(evidence)
    origin = begin or (evidence.recording.telemetry[0]["at_ns"] if evidence.recording.telemetry else 0)
    every = evidence.recording.telemetry
    if len(every) < 2:
        return {}
    x = tuple(round((sample["at_ns"] - origin) / 1e9, 2) for sample in every[1:])
    found = {
        "cpu": _curves(x, "cores", _cpu_lines(evidence, every)),
        "memory": _curves(x, "bytes", _memory_lines(evidence, every)),
    }
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
    """Increase per second from sample to sample; None where one of the two lacks it or a counter began anew."""
    rates: list[float | None] = []
    for before, after in pairwise(every):
        old, new = value(before), value(after)
        seconds = (after["at_ns"] - before["at_ns"]) / 1e9
        known = old is not None and new is not None and new >= old and seconds > 0
        rates.append(round((new - old) / seconds, 4) if known else None)  # type: ignore[operator]  # known says so
    return tuple(rates)


def _heartbeat_series(evidence: Evidence, origin_ns: int) -> dict[str, Series]:
    """Posts, deliveries and loop lag per second, from the load generator's own heartbeats."""
    heartbeats = evidence.recording.heartbeats
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
        second = np.clip((heartbeat["at_ns"] - origin_ns) // 1_000_000_000 - first_s, 0, len(x) - 1)
        worst = np.full(len(x), -1, np.int64)
        np.maximum.at(worst, second, heartbeat["late_ns"])
        lag[name] = tuple(round(float(value) / 1e6, 3) if value >= 0 else None for value in worst)
    lines = {name: tuple(values.round(1).tolist()) for name, values in counts.items()}
    return {"rate": _curves(x, "per second", lines), "lag": _curves(x, "ms", lag)}
