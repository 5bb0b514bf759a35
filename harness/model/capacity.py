"""A search for the highest load that a cluster can carry: the varied number, every step, the result."""

from dataclasses import dataclass
from enum import StrEnum

from harness.model.plan import Plan


class Vary(StrEnum):
    """The number that the search changes; the others stay."""

    RATE = "rate"
    CLIENTS = "clients"
    AUDIENCE = "audience"


class TrialResult(StrEnum):
    """The result of one step."""

    HELD = "held"
    """every delivery arrived, and the P99 is within the limit"""
    BROKE = "broke"
    """the judge found a FAIL"""
    GENERATOR = "generator"
    """not decided, because the load generator did not keep up"""
    UNDECIDED = "undecided"
    """not decided for another reason"""


class Resource(StrEnum):
    """The resource that was exhausted."""

    SERVER_CPU = "server CPU"
    DATABASE = "database"
    BROKER = "broker"
    GENERATOR = "load generator"
    DISK = "disk"
    NOT_FOUND = "not found"


class Found(StrEnum):
    """What a search found."""

    CAPACITY = "capacity"
    """a load held twice, and the next larger load that was tried broke"""
    LOWER_BOUND = "lower bound"
    """a load held twice; the next larger load was not decided, or was not tried"""
    NONE = "none"
    """even the smallest load did not hold"""
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhaustion:
    """The exhausted resource, and the figures that show it."""

    resource: Resource
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityPlan:
    """A search. ``plan`` is its first step without its number; ``floor`` and ``ceiling`` bound what is tried. All three
    values are of the varied number: messages per second, clients, or clients per channel."""

    plan: Plan
    vary: Vary
    limit_ms: float
    start: int
    floor: int
    ceiling: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CoresUsed:
    """Mean cores that each role kept busy in the measured window; None if not measured."""

    servers: float | None = None
    database: float | None = None
    broker: float | None = None
    generator: float | None = None
    machine: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityStep:
    """One judged run. ``run`` is the folder of its recording, below the search's. Latencies are of deliveries; None if
    no delivery was timed."""

    number: int
    value: int
    result: TrialResult
    because: str
    run: str
    expected: int = 0
    missing: int = 0
    deliveries_hz: float | None = None
    p50_ms: float | None = None
    p99_ms: float | None = None
    p99_low_ms: float | None = None
    p99_high_ms: float | None = None
    cores: CoresUsed = CoresUsed()
    exhaustion: Exhaustion | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """A search and its result. ``value`` held twice, or is None; ``broke_at`` is the smallest load above it that broke.
    ``exhaustion`` is the exhausted resource at the next load above ``value`` that was tried."""

    plan: CapacityPlan
    steps: tuple[CapacityStep, ...] = ()
    found: Found = Found.UNDECIDED
    value: int | None = None
    broke_at: int | None = None
    exhaustion: Exhaustion | None = None
    ended: str = ""
    """why the search ended early; empty after a complete one"""
