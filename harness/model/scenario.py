"""A scenario: a claim about the architecture, and the load under which it is tested."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from harness.model.expectation import Expectation
from harness.model.fault import Fault

Audience = int | Literal["all"]
"""How many clients are subscribed to one channel; ``all`` puts every client on one channel."""


class Size(StrEnum):
    """How the numbers of a run follow from the scenario's own."""

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
    """One falsifiable claim with the load that tests it.

    ``smoke`` is the load of ``--size smoke``: seconds on any machine. ``expectations`` are the limits of the
    performance findings; the safety checks need none, because their limit is always zero. ``faults`` is the timeline of
    the injected faults. With a ``sweep`` there is a run at each of several server counts and one verdict over all;
    ``load`` and ``smoke`` are then those of the largest count on the constant curve.
    """

    name: str
    title: str
    claim: str
    load: Load
    smoke: Load
    expectations: tuple[Expectation, ...]
    faults: tuple[Fault, ...] = ()
    sweep: Sweep | None = None
