"""Faults: what a scenario breaks on purpose, when, and for how long."""

from dataclasses import dataclass
from enum import StrEnum


class FaultKind(StrEnum):
    """What is done to a part of the cluster. Each but RESTART lasts until it is healed."""

    STOP = "stop"
    """ended by SIGTERM or `docker stop`, later started again"""
    KILL = "kill"
    """SIGKILL, later started again"""
    PAUSE = "pause"
    """frozen with all its connections open, later thawed"""
    PARTITION = "partition"
    """running, but cut off from the network"""
    RESTART = "restart"
    """stopped and started again at once"""


class Target(StrEnum):
    """What is broken."""

    BROKER = "broker"
    DATABASE = "database"
    SERVER = "server"
    """one server, drawn from the seed"""
    SERVERS = "servers"
    """all servers"""
    CLIENTS = "clients"
    """one client in a hundred, drawn from the seed: it stops reading (PAUSE only)"""
    LINK = "link"
    """one connection of the backplane, drawn from the seed; both ends stay alive"""
    LINKS = "links"
    """all connections of the backplane"""


CARRIERS = (Target.BROKER, Target.LINK, Target.LINKS)
"""What carries messages between servers and nothing else: while it is broken, posts are acknowledged as before."""
LINK_TARGETS = (Target.LINK, Target.LINKS)


class Unit(StrEnum):
    MESSAGE = "message"
    """when the measured message with this number is due, counted from 1"""
    SHARE = "share"
    """when this share of the measured messages is due, 0 to 1"""
    SECOND = "second"
    """this many seconds after the begin of the measured window"""
    AFTER = "after"
    """this many seconds after the fault began (only for the end of a fault)"""
    POSTED = "posted"
    """when every message was posted and answered (only for the end of a fault)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A point on the timeline; ``value`` is not used for POSTED."""

    unit: Unit
    value: float = 0.0

    def __str__(self) -> str:
        words = {
            Unit.MESSAGE: f"at message {self.value:,.0f}",
            Unit.SHARE: f"at {self.value:.0%} of the messages",
            Unit.SECOND: f"at {self.value:g} s",
            Unit.AFTER: f"{self.value:g} s later",
            Unit.POSTED: "when everything is posted",
        }
        return words[self.unit]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a process of a broken component ended, e.g. ``exit code 0``."""

    part: str
    how: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultTimes:
    """When a fault happened, in ns on the harness's clock; None for a time that never came. The injection lasted from
    ``begun_ns`` to ``done_ns``; the healing began at ``heal_ns``; at ``back_ns`` the broken parts answered again.
    """

    begun_ns: int
    done_ns: int | None = None
    heal_ns: int | None = None
    back_ns: int | None = None
    endings: tuple[Ending, ...] = ()

    @property
    def outage_s(self) -> float | None:
        """From the beginning until the parts answered again."""
        return None if self.back_ns is None else round((self.back_ns - self.begun_ns) / 1e9, 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault, from ``at`` to ``until``. ``parts`` are the names of what it hits: empty in a scenario, chosen by the plan
    (``broker``, ``server-2``, ``client-17``, ``server-2_database`` for a link). ``times`` are known after the run; None
    before it, and where the fault was never begun."""

    kind: FaultKind
    target: Target
    at: Moment
    until: Moment
    parts: tuple[str, ...] = ()
    times: FaultTimes | None = None

    def __str__(self) -> str:
        what = ", ".join(self.parts) if 0 < len(self.parts) <= 4 else str(self.target)
        end = "" if self.kind is FaultKind.RESTART else f", healed {self.until}"
        return f"{self.kind} {what} {self.at}{end}"
