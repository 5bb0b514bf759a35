"""Pilots: short runs before the measured run. They show whether its size overloads the machine."""

from dataclasses import dataclass
from typing import Literal

LoadNumber = Literal["audience", "clients", "rate"]
"""A number of the load that sizing may change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadNumbers:
    """The numbers that sizing looks at; ``audience`` is a number of clients here."""

    clients: int
    rate_hz: float
    audience: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """The resources that a pilot used. None if not measured. ``cores`` is how many the machine has. ``busy_cores`` were
    kept busy by all programs on the machine, ``used_cores`` by the processes of the run. ``busiest`` is the process
    that used the most of the one core that it can use. ``lag_p99_ms`` is the lag of the worst load worker's event loop,
    ``send_late_p99_ms`` how late the publisher sent. ``received_share``: deliveries per second received, as a share of
    the planned ones; below 1 the deliveries fell behind.
    """

    cores: int
    busy_cores: float | None = None
    used_cores: float | None = None
    busiest: str = ""
    busiest_cores: float | None = None
    lag_p99_ms: float | None = None
    send_late_p99_ms: float | None = None
    received_share: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PilotStep:
    """One pilot. ``shortages`` says what the machine lacked, a sentence each; empty if there was room."""

    load: LoadNumbers
    predicted_cores: float
    readings: Readings
    shortages: tuple[str, ...]

    @property
    def has_room(self) -> bool:
        return not self.shortages


@dataclass(frozen=True, slots=True, kw_only=True)
class Pilot:
    """What the pilots of a run may change, and what they showed.

    ``free`` are the numbers that no option gave. ``asked`` is the scenario's own size, which is the upper limit of
    every pilot; ``everyone``: its audience is all clients. ``steps`` are the pilots that were made, in order; empty
    before the run.
    """

    free: tuple[LoadNumber, ...]
    asked: LoadNumbers
    everyone: bool
    steps: tuple[PilotStep, ...] = ()
    settled: str = ""
    """why the last step's size, or an earlier one's, is the size of the run"""
