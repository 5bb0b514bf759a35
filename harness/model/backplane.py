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
    server publishes a message only after its COMMIT. ``backplanes``: those whose broker it can use; None for all."""

    name: str
    promise: str
    commits_first: bool
    backplanes: tuple[str, ...] | None = None
    decision: tuple[str, str] | None = None


def unfit(write_path: WritePath, backplane: Backplane) -> str:
    """Why the two do not go together; empty where they do."""
    if write_path.backplanes is None or backplane.name in write_path.backplanes:
        return ""
    return (
        f"--write-path {write_path.name} with --backplane {backplane.name}: its numbers come from the broker; "
        f"expected --backplane {' or '.join(write_path.backplanes)}, or --write-path {WRITE_PATHS.default.name}"
    )


BACKPLANES: Registry[Backplane] = Registry(
    "backplane",
    (
        Backplane(
            name="redis",
            title="Redis Pub/Sub",
            broker="redis",
            decision=("ADR-0002", "Redis Pub/Sub between servers"),
        ),
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
        WritePath(
            name="broker-first",
            promise="the message is published, and is committed later if its server lives that long",
            commits_first=False,
            backplanes=("redis",),
        ),
    ),
)
