"""Backplanes and write paths: the alternatives of the architecture, as the harness knows them.

The reference server has registries of its own with the same names; the two packages share no code.
"""

from dataclasses import dataclass

from harness.model.registry import Registry


@dataclass(frozen=True, slots=True, kw_only=True)
class Backplane:
    """What carries a message from the server that accepted it to all others.

    ``broker`` is the kind of broker that it needs, None where it needs none. ``servers_max``: more servers than that would
    not hear of each other's messages; None for no limit. ``decision`` is the decision record that chose it, with its title.
    """

    name: str
    title: str
    broker: str | None
    servers_max: int | None = None
    decision: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WritePath:
    """When a message is committed. ``promise`` is what an acknowledgement says about the message. ``commits_first``: the
    server publishes a message only after its COMMIT."""

    name: str
    promise: str
    commits_first: bool
    decision: tuple[str, str] | None = None


BACKPLANES: Registry[Backplane] = Registry(
    "backplane",
    (
        Backplane(
            name="redis",
            title="Redis Pub/Sub",
            broker="redis",
            decision=("ADR-0002", "Redis Pub/Sub between servers"),
        ),
        Backplane(name="redis-streams", title="Redis Streams", broker="redis"),
        Backplane(name="nats", title="NATS", broker="nats"),
        Backplane(name="kafka", title="Kafka", broker="kafka"),
        Backplane(name="memory", title="in-memory broadcast in one server", broker=None, servers_max=1),
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
        ),
    ),
)
