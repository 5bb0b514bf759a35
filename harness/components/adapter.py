"""What the harness must be able to do with a database or a broker, whatever its kind."""

from collections.abc import Mapping
from typing import Protocol

from harness.model.cluster import Endpoint

Counters = Mapping[str, float]
"""Figures of one moment by name, units last: ``cpu_s``, ``net_out_bytes``. Counters are cumulative since the component's
start."""


class Sampler(Protocol):
    """A connection that is kept while a run is observed."""

    async def sample(self) -> Counters:
        """The component's counters now. Raises OSError, TimeoutError or one of `Adapter.errors`."""
        ...

    async def close(self) -> None: ...


class Adapter(Protocol):
    """One kind of component. It has no state; each call gets the address."""

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """What its driver raises beside OSError and TimeoutError when the component does not do its part."""
        ...

    async def refusal(self, endpoint: Endpoint) -> str | None:
        """None where it lets the harness in and answers, else the reason in words. Bounded in time; raises nothing of the
        driver's. Raises NeverReady where it refuses for a reason that no waiting heals: a password, a right, TLS."""
        ...

    async def no_access(self, endpoint: Endpoint, table: str) -> str | None:
        """None where the harness may read what it reads in a run: the component's counters, and ``table`` (of messages)
        where that is not empty; else the reason in words. Raises TimeoutError and nothing else."""
        ...

    async def settings(self, endpoint: Endpoint) -> dict[str, str]:
        """Version and settings that decide about durability and speed, for machine.json; empty where they cannot be
        read."""
        ...

    def sampler(self, endpoint: Endpoint, *, timeout_s: float) -> Sampler: ...
