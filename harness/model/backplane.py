"""Backplanes and write paths: the alternatives of the architecture, as the harness knows them.

The reference server has registries of its own with the same names; the two packages share no code.
"""

from dataclasses import dataclass
from enum import StrEnum

from harness.model.fault import Target
from harness.model.registry import Registry


class Links(StrEnum):
    """Which connections between servers a backplane keeps, and so how their number grows with the servers."""

    NONE = "none"
    STAR = "star"
    """each server to the broker or the database"""
    FULL_MESH = "full mesh"
    """each server to each other server"""

    def at(self, servers: int) -> int:
        """How many connections that is."""
        return {Links.NONE: 0, Links.STAR: servers, Links.FULL_MESH: servers * (servers - 1) // 2}[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyClaim:
    """What the design says of a duration, e.g. "below 1 ms". ``low_ms`` is 0 where it names an upper limit alone."""

    words: str
    low_ms: float
    high_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Backplane:
    """What carries a message from the server that accepted it to all others.

    ``broker`` is the kind of broker that it needs, None where it needs none. ``servers_max``: more servers than that would
    not hear of each other's messages; None for no limit. ``decision`` is the decision record that chose it, with its title.

    ``carrier``: what has to be broken so that messages stop passing between servers; None where nothing can be.
    ``links``: the connections that it keeps beside those of the message log, ``ports_per_server``: the ports that a server
    listens on for it. ``claim``: what the design says of the time from the publication to the receipt by another server.
    ``adapter``: the module of the reference server, relative to its package.
    """

    name: str
    title: str
    broker: str | None
    servers_max: int | None = None
    decision: tuple[str, str] | None = None
    carrier: Target | None = None
    links: Links = Links.NONE
    ports_per_server: int = 0
    claim: LatencyClaim | None = None
    adapter: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WritePath:
    """When a message is committed. ``promise`` is what an acknowledgement says about the message. ``commits_first``: the
    server publishes a message only after its COMMIT. ``claim``: what the design says of the time to the acknowledgement."""

    name: str
    promise: str
    commits_first: bool
    decision: tuple[str, str] | None = None
    claim: LatencyClaim | None = None


BACKPLANES: Registry[Backplane] = Registry(
    "backplane",
    (
        Backplane(
            name="redis",
            title="Redis Pub/Sub",
            broker="redis",
            decision=("ADR-0002", "Redis Pub/Sub between servers"),
            carrier=Target.BROKER,
            links=Links.STAR,
            claim=LatencyClaim(words="below 1 ms", low_ms=0, high_ms=1),
            adapter=("backplane/redis_pubsub.py", "backplane/resp_connection.py"),
        ),
        Backplane(
            name="memory",
            title="in-memory broadcast in one server",
            broker=None,
            servers_max=1,
            adapter=("backplane/in_memory.py",),
        ),
    ),
)

WRITE_PATHS: Registry[WritePath] = Registry(
    "write path",
    (
        WritePath(
            name="db-first",
            promise="the message is committed to the database",
            commits_first=True,
            decision=("ADR-0001", "DB-first write path"),
            claim=LatencyClaim(words="20–50 ms", low_ms=20, high_ms=50),
        ),
    ),
)
