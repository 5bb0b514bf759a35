"""Backplanes and write paths: the alternatives of the architecture, as the harness knows them.

The reference server has registries of its own with the same names; the two packages share no code.
"""

from dataclasses import dataclass

from harness.model.backplane_setting import BackplaneSetting, Values
from harness.model.registry import Registry


@dataclass(frozen=True, slots=True, kw_only=True)
class Backplane:
    """What carries a message from the server that accepted it to all others.

    ``broker`` is the kind of broker that it needs, None where it needs none. ``servers_max``: more servers than that would
    not hear of each other's messages; None for no limit. ``decision`` is the decision record that chose it, with its title.
    ``settings`` are those that ``--backplane-setting`` takes; the server gets all of them in its section of the backplane.
    """

    name: str
    title: str
    broker: str | None
    servers_max: int | None = None
    decision: tuple[str, str] | None = None
    settings: tuple[BackplaneSetting, ...] = ()
    links_servers: bool = False
    """Servers connect to each other: each is told where to listen (``host``, ``port``) and the ``peers``."""
    commit_seen_early: bool = False
    """PostgreSQL itself shows a message to all servers at its COMMIT: one may have it before the server that committed
    has heard of the COMMIT, so the times of the two prove nothing."""


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
        Backplane(name="memory", title="in-memory broadcast in one server", broker=None, servers_max=1),
        Backplane(
            name="postgres-poll",
            title="every server polls PostgreSQL",
            broker=None,
            commit_seen_early=True,
            settings=(
                BackplaneSetting(
                    name="interval_ms",
                    default=50.0,
                    low=1,
                    high=60_000,
                    help="milliseconds from one read to the next; servers ÷ interval queries a second, idle or not",
                ),
            ),
        ),
        Backplane(
            name="postgres-notify",
            title="PostgreSQL LISTEN/NOTIFY",
            broker=None,
            settings=(
                BackplaneSetting(
                    name="inside_transaction",
                    default=False,
                    commit_seen_early=True,
                    help="on: the committing transaction notifies, and such commits are serial",
                ),
                BackplaneSetting(
                    name="group_commit", default=True, help="off: one commit per post, eight at once per server"
                ),
            ),
        ),
        Backplane(name="mesh", title="every server linked with every other", broker=None, links_servers=True),
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


def commit_seen_early(name: str, values: Values) -> bool:
    """Whether this backplane with these settings may bring a message before its own server knows of the COMMIT."""
    backplane = BACKPLANES.find(name)
    if backplane is None:
        return False
    switched_on = {name for name, value in values if value is True}
    return backplane.commit_seen_early or any(
        setting.commit_seen_early and setting.name in switched_on for setting in backplane.settings
    )
