"""A sweep: runs of one scenario at several server counts, planned together and judged together."""

from dataclasses import dataclass
from enum import StrEnum

from harness.model.plan import Plan


class Curve(StrEnum):
    """The quantity that is the same at every count. Clients per server and the audience are the same on both curves."""

    CONSTANT = "constant"
    """the message rate: it shows the effect of more servers on the same load"""
    WEAK = "weak"
    """the message rate per server: every server adds its share of load (weak scaling)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One run of a sweep. ``order`` counts from 1 in the order of running, ``repetition`` from 1 in each point."""

    order: int
    curve: Curve
    repetition: int
    plan: Plan
    predicted_s: float
    """wall time, from start to report"""

    @property
    def servers(self) -> int:
        return self.plan.servers

    @property
    def name(self) -> str:
        """The folder of its recording."""
        return f"{self.order:02}-{self.curve}-{self.servers}x{self.repetition}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepPlan:
    """All runs of a sweep in the order of running. ``widest`` is the plan of the largest count on the constant curve,
    with the command that repeats the sweep: it represents the sweep where one plan is needed."""

    members: tuple[Member, ...]
    widest: Plan
    server_counts: tuple[int, ...]
    clients_per_server: int
    weak_rate_per_server_hz: float
    repeat: int
    predicted_s: float

    def of(self, curve: Curve) -> tuple[Member, ...]:
        return tuple(member for member in self.members if member.curve is curve)
