"""What the harness does with a database or a broker of any kind."""

from collections.abc import Mapping
from typing import Protocol

from harness.model.cluster import Endpoint

Counters = Mapping[str, float]
"""Figures of one moment by name, units last: ``cpu_s``, ``net_out_bytes``. Counters are cumulative since the
component's start."""


class Sampler(Protocol):
    """A connection that stays open while a run is observed."""

    async def sample(self) -> Counters:
        """The component's counters now. Raises OSError, TimeoutError or one of `Adapter.errors`."""
        ...

    async def close(self) -> None: ...


class Adapter(Protocol):
    """One kind of component. It has no state; each call gets the address."""

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """The errors that its driver raises, beside OSError and TimeoutError, when the component fails."""
        ...

    async def refusal(self, endpoint: Endpoint) -> str | None:
        """None if it accepts the harness and answers, else the reason in words. Bounded in time; raises no error of the
        driver. Raises NeverReady if it refuses for a reason that waiting does not change: a password, a right, TLS."""
        ...

    async def no_access(self, endpoint: Endpoint, table: str) -> str | None:
        """None if the harness may read what a run needs: the component's counters, and ``table`` (of messages) if that
        is not empty; else the reason in words. Raises only TimeoutError."""
        ...

    async def settings(self, endpoint: Endpoint) -> dict[str, str]:
        """Version and settings that decide about durability and speed, for machine.json; empty if they cannot be
        read."""
        ...

    def sampler(self, endpoint: Endpoint, *, timeout_s: float) -> Sampler: ...
