"""What the processes, the broker, the database and the machine did during the measured window.

``cpu_cores`` is the mean number of cores that a process kept busy. ``…_hz`` is a mean rate per second.
"""

from dataclasses import dataclass

from harness.model.measurements.percentiles import Percentiles


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFigures:
    """One server. ``clients`` were connected to it when the measured window began, ``planned_clients`` by the plan.
    ``accepted`` and ``delivered_sockets`` come from its trace; ``p50_ms`` and ``p99_ms`` are the delivery
    latency of its clients. Over the whole run: ``received`` messages came to it over the backplane, ``needed`` had a
    client of their channel here, ``received_per_needed`` is their ratio; None if a fault moved clients or ended the
    server."""

    name: str
    clients: int
    planned_clients: int | None = None
    accepted: int | None = None
    delivered_sockets: int | None = None
    received: int | None = None
    needed: int | None = None
    received_per_needed: float | None = None
    p50_ms: float | None = None
    p99_ms: float | None = None
    cpu_cores: float | None = None
    rss_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerFigures:
    """One load worker. ``lag_p99_ms``: how long ready events waited for its event loop, P99, weighted by time."""

    name: str
    clients: int
    deliveries: int
    lag_p99_ms: float | None = None
    cpu_cores: float | None = None
    rss_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessFigures:
    """One process."""

    cpu_cores: float | None = None
    rss_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineFigures:
    """The machine that the harness runs on. ``memory_peak_bytes`` is of the whole run."""

    busy_cores: float | None = None
    steal_cores: float | None = None
    retransmits_hz: float | None = None
    listen_overflows_hz: float | None = None
    memory_peak_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerFigures:
    """The broker; ``kind`` is the product, e.g. ``redis``. Fields without a unit in the name: the largest value that
    was seen."""

    kind: str
    cpu_cores: float | None = None
    net_in_bytes_hz: float | None = None
    net_out_bytes_hz: float | None = None
    commands_hz: float | None = None
    channels: int | None = None
    subscriptions: int | None = None
    clients: int | None = None
    output_buffer_bytes: int | None = None
    """the largest number of bytes that waited for one client"""
    subscriber_output_bytes: int | None = None
    """the largest number of bytes that waited for all subscribers together"""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementFigures:
    """One statement that the database ran, with the durations that its own log gives."""

    statement: str
    duration: Percentiles


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseFigures:
    """The database; ``kind`` is the product, e.g. ``postgresql``. ``statements``: the most frequent first; empty if no
    statement log was kept."""

    kind: str
    cpu_cores: float | None = None
    commits_hz: float | None = None
    rows_inserted_hz: float | None = None
    wal_bytes_hz: float | None = None
    wal_syncs_hz: float | None = None
    statements: tuple[StatementFigures, ...] = ()
