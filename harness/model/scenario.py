"""A scenario: what is claimed of the architecture, and the load under which the claim is tried."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from harness.model.expectation import Expectation
from harness.model.fault import Fault

Audience = int | Literal["all"]
"""How many clients are subscribed to one channel; ``all`` puts every client on one channel."""


class Size(StrEnum):
    """How the scenario's own numbers are turned into a run's."""

    FULL = "full"
    FIT = "fit"
    SMOKE = "smoke"


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """The numbers that size a run. Rates are messages per second over all servers together."""

    servers: int
    clients: int
    rate_hz: float
    duration_s: float
    audience: Audience
    warm_up_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """The same question at several sizes: one run at each server count, on two curves.

    On the ``constant`` curve the message rate is the load's at every count; on the ``weak`` curve it grows with the
    servers. Audience and clients per server are the same everywhere. ``smoke_counts`` are those of ``--size smoke``.
    """

    server_counts: tuple[int, ...]
    clients_per_server: int
    weak_rate_per_server_hz: float
    smoke_counts: tuple[int, ...]
    smoke_clients_per_server: int
    smoke_weak_rate_per_server_hz: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One falsifiable claim with the load that tries it.

    ``smoke`` is the load of ``--size smoke``: seconds on any machine. ``expectations`` are what the verdict's
    performance findings are judged against; the safety checks need none, their limit is always zero. ``faults`` is the
    timeline of what is broken on purpose. With a ``sweep`` it is a run at each of several server counts and one verdict
    over all; ``load`` and ``smoke`` are then those of the largest count on the constant curve.
    """

    name: str
    title: str
    claim: str
    load: Load
    smoke: Load
    expectations: tuple[Expectation, ...]
    faults: tuple[Fault, ...] = ()
    sweep: Sweep | None = None
