"""The clocks of a run: each host has one, and times of two hosts can be compared only within a bound.

The coordinator is the host of the harness. Everything that the harness writes itself is on its clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.model.component import LOCAL_HOST


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelIdentity:
    """Two processes read the same CLOCK_MONOTONIC if these are equal: the boot of their kernel, and their time
    namespace (which may shift the clock). None if it cannot be read."""

    boot_id: str | None
    time_namespace: str | None


def same_kernel(coordinator: KernelIdentity, other: KernelIdentity) -> bool:
    """Whether both certainly read the same clock. False if any value is not known."""
    known = None not in (coordinator.boot_id, coordinator.time_namespace, other.boot_id, other.time_namespace)
    return known and coordinator == other


@dataclass(frozen=True, slots=True, kw_only=True)
class HostClock:
    """The clock of one host. The time on the coordinator is the host's time plus ``offset_ns``, with an error of at
    most ``bound_ns``; both are None if the offset is not known. ``found`` says how it was found."""

    host: str
    offset_ns: int | None
    bound_ns: int | None
    found: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """The clocks of all hosts of a run. ``files`` names the host of each row file, by the file's name without ``.npy``.
    ``coordinator`` is the host whose clock events.jsonl and telemetry.jsonl use."""

    coordinator: str = LOCAL_HOST
    hosts: tuple[HostClock, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)


def clocks_of(*, workers: int, servers: Mapping[int, HostClock], found: str) -> Clocks:
    """The clocks of a run whose load generator runs on the coordinator. ``servers`` is the clock of each server's host,
    by the server's index; ``found`` says why all processes of the coordinator share one clock."""
    coordinator = HostClock(host=LOCAL_HOST, offset_ns=0, bound_ns=0, found=found)
    hosts = {LOCAL_HOST: coordinator} | {clock.host: clock for clock in servers.values() if clock.host != LOCAL_HOST}
    files = dict.fromkeys(("posts", "heartbeat-publisher"), LOCAL_HOST)
    for number in range(workers):
        for part in ("deliveries", "frames", "sessions", "heartbeat-worker"):
            files[f"{part}-{number:02}"] = LOCAL_HOST
    for index, clock in servers.items():
        for part in ("accepted", "delivered", "backplane"):
            files[f"{part}-{index:02}"] = clock.host
    return Clocks(hosts=tuple(hosts.values()), files=files)
