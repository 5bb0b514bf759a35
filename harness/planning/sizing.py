"""The resources that a load needs, whether it fits the machine, and what to lower so that it fits. Pure: values in,
values out."""

from dataclasses import dataclass, replace
from math import ceil

from harness.model.machine_limits import MachineLimits
from harness.model.pilot import LoadNumber
from harness.model.plan import Calibration, Need, Reduction

BUSY_SHARE = 1.25
"""Share of the cores that a load given by hand may need. The prediction has an error of about a quarter, so only a load
that is certainly too large is refused. Nearer to the limit the run itself shows more than the prediction, by its
validity findings."""
FIT_SHARE = 0.8
"""Share of the cores that a load chosen by sizing may fill: the rest is for what the model does not predict."""

MEMORY_SHARE = 0.8
FLUSHES_HZ = 30.0
"""Writes that one client gets per second from a busy gateway, which pauses up to 25 ms between two of them."""

CONNECTION_BYTES = 50_000
"""Memory per WebSocket connection, both ends and the kernel together (bench/memory): 160,000 took 40 KB each."""
CONNECTION_CORES = 3.3e-6
"""A connection that is silent: a ping and its pong every 60 s, 190 µs at both ends together with 160,000
connections."""
COMPARED_CHANNELS, COMPARED_CHANNEL_CORES = 2_000, 2e-6
"""The largest number of channels that a server compares with the database every second, and the CPU time of one."""
BASE_CORES = 0.1
"""The harness itself, heartbeats, and the idle work of the database and the broker."""
WARM_CONNECTIONS, COLD_CONNECTIONS, COLD_SHARE = 10_000, 40_000, 1.2
"""From the first number of connections on, the data that a message needs are no longer in the processor's caches, and
its whole cost grows: by this share at the second number, and not more beyond. A message for 20 clients took, of the
whole machine, 1.2 ms with 10,000 connections, 1.5 with 20,000, 2.8 with 40,000, 2.9 with 80,000, 4.1 with 160,000 (on
4, 2, 4, 8 and 16 servers)."""
PROCESS_BYTES = 60_000_000
BASE_BYTES = 400_000_000
"""PostgreSQL with its shared buffers, the broker, the harness itself."""

SPARE_DESCRIPTORS = 1_000
"""Files, pipes, database and sender connections of a server beside its WebSocket clients."""
CLIENTS_PER_WORKER = 15_000
CLIENTS_PER_WORKER_AT_LEAST = 1_000
"""A process for fewer clients would waste memory: if not even this many fit, the descriptors are too few."""
DELIVERY_BYTES = 16
MESSAGE_BYTES = 600
"""Disk per message: its row in PostgreSQL, the ledger and the servers' traces."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sized:
    """The numbers that sizing looks at and may lower; ``audience`` is a number of clients here."""

    servers: int
    clients: int
    rate_hz: float
    audience: int
    seconds: float

    @property
    def deliveries_hz(self) -> float:
        return self.rate_hz * self.audience


def worker_count(clients: int, limits: MachineLimits) -> int:
    """Load workers: one per core up to 4 for speed, and enough for the descriptors that a process may have here."""
    useful = 1 if clients < 500 else min(4, limits.cores)
    held = min(CLIENTS_PER_WORKER, max(CLIENTS_PER_WORKER_AT_LEAST, limits.nofile_hard - SPARE_DESCRIPTORS))
    return max(useful, ceil(clients / held))


def cores_needed(load: Sized, cost: Calibration) -> float:
    """Cores kept busy by servers, database, broker and load generator together.

    Each delivery is one socket write until a client would get more than FLUSHES_HZ of them; beyond that the gateway
    joins messages, and a further message costs only its handling as a frame. Every server that has part of the audience
    reads each message from the backplane: that part grows with the servers.
    """
    receiving = min(load.clients, load.deliveries_hz)
    writes_hz = min(load.deliveries_hz, receiving * FLUSHES_HZ)
    hints_hz = load.rate_hz * min(load.servers, load.audience)
    compared = load.servers * min(COMPARED_CHANNELS, load.clients / load.audience)
    cold = min(1.0, max(0.0, (load.clients - WARM_CONNECTIONS) / (COLD_CONNECTIONS - WARM_CONNECTIONS)))
    messages = (
        writes_hz * cost.per_write_s
        + load.deliveries_hz * cost.per_frame_s
        + load.rate_hz * cost.per_post_s
        + hints_hz * cost.per_hint_s
    )
    return (
        messages * (1 + COLD_SHARE * cold)
        + load.clients * CONNECTION_CORES
        + compared * COMPARED_CHANNEL_CORES
        + BASE_CORES
    )


def need(load: Sized, cost: Calibration, limits: MachineLimits) -> Need:
    workers = worker_count(load.clients, limits)
    per_server = ceil(load.clients / load.servers)
    deliveries = load.deliveries_hz * load.seconds
    return Need(
        cores=cores_needed(load, cost),
        memory_bytes=BASE_BYTES + load.clients * CONNECTION_BYTES + (load.servers + workers + 2) * PROCESS_BYTES,
        descriptors_per_process=max(per_server, ceil(load.clients / workers)) + SPARE_DESCRIPTORS,
        ports_per_server=per_server + SPARE_DESCRIPTORS,
        disk_bytes=int(deliveries * DELIVERY_BYTES + load.rate_hz * load.seconds * MESSAGE_BYTES) + 200_000_000,
    )


def shortfalls(wanted: Need, limits: MachineLimits, busy_share: float = BUSY_SHARE) -> tuple[str, ...]:
    """Every limit of the machine that ``wanted`` exceeds, as a sentence with the needed and the available amount."""
    found = []
    if wanted.cores > limits.cores * busy_share:
        room = f", of which sizing fills {limits.cores * busy_share:.1f}" if busy_share < 1 else ""
        found.append(f"CPU: needs about {wanted.cores:.1f} cores; this machine has {limits.cores}{room}")
    if wanted.memory_bytes > limits.memory_available_bytes * MEMORY_SHARE:
        found.append(
            f"memory: needs about {wanted.memory_bytes / 1e9:.1f} GB; "
            f"{limits.memory_available_bytes / 1e9:.1f} GB are available, of which a run may fill {MEMORY_SHARE:.0%}"
        )
    if wanted.descriptors_per_process > limits.nofile_hard:
        found.append(
            f"descriptors: needs {wanted.descriptors_per_process:,} in one process; the hard limit is "
            f"{limits.nofile_hard:,} (raise it with `ulimit -Hn` or LimitNOFILE=)"
        )
    if wanted.ports_per_server > limits.ephemeral_ports:
        found.append(
            f"ports: needs {wanted.ports_per_server:,} connections to one server; the ephemeral range has "
            f"{limits.ephemeral_ports:,} (widen net.ipv4.ip_local_port_range)"
        )
    if wanted.disk_bytes > limits.disk_free_bytes:
        found.append(
            f"disk: needs about {wanted.disk_bytes / 1e9:.1f} GB for the recording; "
            f"{limits.disk_free_bytes / 1e9:.1f} GB are free"
        )
    return tuple(found)


LOWERED: tuple[LoadNumber, ...] = ("audience", "clients", "rate")
"""In this order."""
FLOOR: dict[LoadNumber, int] = {"audience": 20, "clients": 100, "rate": 10}
"""Below these a run shows little, so sizing lowers the next number instead."""
WITHOUT_CPU = 1_000.0
"""A share of the cores that no load needs: the limits of the machine without its CPU."""


def fit(
    load: Sized,
    free: tuple[LoadNumber, ...],
    *,
    everyone: bool,
    cost: Calibration,
    limits: MachineLimits,
    share: float = FIT_SHARE,
    clients_min: int = 1,
) -> tuple[Sized, tuple[Reduction, ...]]:
    """Lower the ``free`` numbers, in the order audience, clients, rate, each no further than needed, until the load
    fits.

    ``everyone``: the audience is all clients and follows their number. If not, fewer clients save almost no CPU: then
    clients are lowered only for memory, descriptors and ports. The result may still not fit (see `shortfalls`) when all
    free numbers are at their floor. ``share`` of the cores may be filled. Clients are never lowered below
    ``clients_min``: an audience that an option gives needs this many.
    """
    reductions: list[Reduction] = []
    for what in LOWERED:
        cpu_matters = what != "clients" or (everyone and load.audience == load.clients)
        filled = share if cpu_matters else WITHOUT_CPU
        short = shortfalls(need(load, cost, limits), limits, filled)
        if not short or what not in free:
            continue
        least = max(FLOOR[what], clients_min) if what == "clients" else FLOOR[what]
        before, load = load, _lowered(load, what, least, everyone=everyone, cost=cost, limits=limits, share=filled)
        if load != before:
            reductions.append(
                Reduction(
                    what=what, wanted=in_words(before, what), planned=in_words(load, what), because="; ".join(short)
                )
            )
    return load, tuple(reductions)


def _lowered(
    load: Sized, what: LoadNumber, least: int, *, everyone: bool, cost: Calibration, limits: MachineLimits, share: float
) -> Sized:
    """``load`` with ``what`` at the largest round value that fits, or at ``least`` if none does."""
    candidates = [value for value in round_values(value_of(load, what)) if value > least]
    candidates += [least] if least < value_of(load, what) else []
    if what == "audience":
        # Channels of equal size make figures easier to check by hand.
        candidates = [value for value in candidates if load.clients % value == 0] or candidates
    fitting = load
    for value in candidates:
        fitting = with_value(load, what, value, everyone=everyone)
        if not shortfalls(need(fitting, cost, limits), limits, share):
            break
    return fitting


def round_values(top: float) -> list[int]:
    """Values below ``top`` that people call round (two leading digits in steps of 1, 2 or 5), falling."""
    steps = (10, 12, 15, 20, 25, 30, 40, 50, 60, 80)
    values = {step * 10**power // 10 for step in steps for power in range(9)}
    return sorted((value for value in values if 0 < value < top), reverse=True)


def value_of(load: Sized, what: LoadNumber) -> float:
    """One number of ``load``."""
    return {"audience": load.audience, "clients": load.clients, "rate": load.rate_hz}[what]


def with_value(load: Sized, what: LoadNumber, value: int, *, everyone: bool) -> Sized:
    """``load`` with another value of one number; an audience of all clients follows their number."""
    if what == "audience":
        return replace(load, audience=value)
    if what == "clients":
        is_all = everyone and load.audience == load.clients
        return replace(load, clients=value, audience=value if is_all else min(load.audience, value))
    return replace(load, rate_hz=float(value))


def in_words(load: Sized, what: LoadNumber) -> str:
    """One number of ``load`` with its unit."""
    return {
        "audience": f"{load.audience:,} clients per channel",
        "clients": f"{load.clients:,} clients",
        "rate": f"{load.rate_hz:,g} messages/s",
    }[what]
