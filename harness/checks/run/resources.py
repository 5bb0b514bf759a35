"""The figures of the processes, the database, the broker and the machine, from the telemetry."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from harness.checks.evidence.evidence import Evidence
from harness.checks.evidence.loop_lag import loop_lag
from harness.checks.evidence.measured_window import measured_window
from harness.checks.evidence.tally import Tally
from harness.model.backplane import BACKPLANES
from harness.model.component import DATABASE_KIND
from harness.model.fault import Target
from harness.model.measurements.resources import (
    BrokerFigures,
    DatabaseFigures,
    MachineFigures,
    ProcessFigures,
    ServerFigures,
    WorkerFigures,
)
from harness.model.plan import Plan
from harness.planning.placement import client_servers
from harness.recording.reader import Recording

Sample = Mapping[str, Any]
"""one line of telemetry.jsonl (docs/recording.md); any part of it may be absent"""


def samples(recording: Recording) -> list[Sample]:
    """The telemetry of the measured window."""
    begin, end = measured_window(recording)
    return [sample for sample in recording.telemetry if begin <= sample["at_ns"] <= end]


def rate(found: Sequence[Sample], group: str, key: str) -> float | None:
    """Increase per second of a cumulative counter over the window; None if it was not sampled twice."""
    seen = [(sample["at_ns"], sample[group][key]) for sample in found if key in sample.get(group, {})]
    if len(seen) < 2 or seen[-1][0] <= seen[0][0]:
        return None
    # The counter of a process that was started again begins at zero.
    increase = sum(new - old if new >= old else new for (_, old), (_, new) in pairwise(seen))
    return float(increase / ((seen[-1][0] - seen[0][0]) / 1e9))


def cores(found: Sequence[Sample], process: str) -> float | None:
    """Mean cores that a process kept busy over the window."""
    seen = [{"at_ns": s["at_ns"], "p": s["processes"][process]} for s in found if process in s.get("processes", {})]
    return rate(seen, "p", "cpu_s")


def machine(found: Sequence[Sample], every: Sequence[Sample]) -> MachineFigures:
    """``found`` is of the measured window, ``every`` of the whole run."""
    peak = max((s["machine"]["memory_used_bytes"] for s in every if "machine" in s), default=None)
    return MachineFigures(
        busy_cores=_rounded(rate(found, "machine", "busy_s")),
        steal_cores=_rounded(rate(found, "machine", "steal_s")),
        retransmits_hz=_rounded(rate(found, "machine", "retransmits")),
        listen_overflows_hz=_rounded(rate(found, "machine", "listen_overflows")),
        memory_peak_bytes=None if peak is None else int(peak),
    )


def broker(plan: Plan, found: Sequence[Sample]) -> BrokerFigures | None:
    """None if the backplane needs no broker."""
    backplane = BACKPLANES.find(plan.backplane)
    if backplane is None or backplane.broker is None:
        return None
    return BrokerFigures(
        kind=backplane.broker,
        cpu_cores=_rounded(_broker_cores(found)),
        net_in_bytes_hz=_rounded(rate(found, "broker", "net_in_bytes")),
        net_out_bytes_hz=_rounded(rate(found, "broker", "net_out_bytes")),
        commands_hz=_rounded(rate(found, "broker", "commands")),
        channels=_most(found, "broker", "pubsub_channels"),
        subscriptions=_most(found, "broker", "subscriptions"),
        clients=_most(found, "broker", "clients"),
        output_buffer_bytes=_most(found, "broker", "output_buffer_bytes"),
        subscriber_output_bytes=_most(found, "broker", "subscriber_output_bytes"),
    )


def _broker_cores(found: Sequence[Sample]) -> float | None:
    """The broker's own figure, which works on another machine too; else the figure of its process."""
    own = rate(found, "broker", "cpu_s")
    return cores(found, "broker") if own is None else own


def database(found: Sequence[Sample]) -> DatabaseFigures:
    return DatabaseFigures(
        kind=DATABASE_KIND,
        cpu_cores=_rounded(cores(found, "database")),
        commits_hz=_rounded(rate(found, "database", "commits")),
        rows_inserted_hz=_rounded(rate(found, "database", "rows_inserted")),
        wal_bytes_hz=_rounded(rate(found, "database", "wal_bytes")),
        wal_syncs_hz=_rounded(rate(found, "database", "wal_syncs")),
    )


def publisher(found: Sequence[Sample]) -> ProcessFigures:
    return ProcessFigures(cpu_cores=_rounded(cores(found, "publisher")), rss_bytes=_rss(found, "publisher"))


def servers(evidence: Evidence, tally: Tally, found: Sequence[Sample]) -> tuple[ServerFigures, ...]:
    latencies = tally.timings.by_server.quantiles_by_group_ms((0.5, 0.99))
    planned = client_servers(evidence.plan)
    fan_out = received_per_needed(evidence)
    rows = []
    for server in range(evidence.plan.servers):
        name = f"server-{server + 1}"
        p50, p99 = latencies[server] if server < len(latencies) else (None, None)
        accepted = evidence.recording.accepted.get(server)
        delivered = evidence.recording.delivered.get(server)
        rows.append(
            ServerFigures(
                name=name,
                clients=int((evidence.client_server == server).sum()),
                planned_clients=int((planned == server).sum()),
                accepted=None if accepted is None else len(accepted),
                delivered_sockets=None if delivered is None else int(delivered["sockets"].sum()),
                **fan_out.get(name, FanOut())._asdict(),
                p50_ms=p50,
                p99_ms=p99,
                cpu_cores=_rounded(cores(found, name)),
                rss_bytes=_rss(found, name),
            )
        )
    return tuple(rows)


class FanOut(NamedTuple):
    """Messages that the backplane brought to a server, those that a client of it was subscribed to, and the ratio."""

    received: int | None = None
    needed: int | None = None
    received_per_needed: float | None = None


def received_per_needed(evidence: Evidence) -> dict[str, FanOut]:
    """By server: the messages that the backplane brought to it, and those that a client of it was subscribed to.
    Nothing if a fault moved clients to other servers, or if the counter began again with a new process."""
    event = evidence.recording.event("received")
    if event is None or any(
        fault.target in (Target.SERVER, Target.SERVERS, Target.CLIENTS) for fault in evidence.plan.faults
    ):
        return {}
    found = {}
    for name, received in (event.get("servers") or {}).items():
        channels = np.unique(evidence.client_channel[evidence.client_server == int(name.rpartition("-")[2]) - 1])
        needed = int((np.isin(evidence.channel, channels) & (evidence.seq > 0)).sum())
        ratio = round(received / needed, 4) if needed else None
        found[str(name)] = FanOut(received=int(received), needed=needed, received_per_needed=ratio)
    return found


def workers(evidence: Evidence, found: Sequence[Sample]) -> tuple[WorkerFigures, ...]:
    rows = []
    begin, end = evidence.window_ns
    for name, heartbeat in sorted(evidence.heartbeats.items()):
        if not name.startswith("worker-"):
            continue
        rows.append(
            WorkerFigures(
                name=name,
                clients=int(heartbeat["connected"].max(initial=0)),
                deliveries=int(heartbeat["count"].max(initial=0)),
                lag_p99_ms=loop_lag(heartbeat, begin, end).p99_ms,
                cpu_cores=_rounded(cores(found, name)),
                rss_bytes=_rss(found, name),
            )
        )
    return tuple(rows)


def _most(found: Sequence[Sample], group: str, key: str) -> int | None:
    seen = [sample[group][key] for sample in found if key in sample.get(group, {})]
    return int(max(seen)) if seen else None


def _rss(found: Sequence[Sample], process: str) -> int | None:
    seen = [s["processes"][process]["rss_bytes"] for s in found if process in s.get("processes", {})]
    return int(max(seen)) if seen else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
