"""Backplanes and write paths: the alternatives of the architecture, as the harness knows them.

The reference server has registries of its own with the same names; the two packages share no code.
"""

from dataclasses import dataclass
from enum import StrEnum

from harness.model.backplane_setting import BackplaneSetting, Values
from harness.model.fault import FaultKind, Target
from harness.model.link import BreakableLink, full_mesh, star
from harness.model.registry import Registry


class Links(StrEnum):
    """The connections that a backplane keeps, and so how their number grows with the servers."""

    NONE = "none"
    STAR = "star"
    """each server to the broker or the database"""
    FULL_MESH = "full mesh"
    """each server to each other server"""

    def at(self, servers: int) -> int:
        """The number of these connections."""
        return {Links.NONE: 0, Links.STAR: servers, Links.FULL_MESH: servers * (servers - 1) // 2}[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyClaim:
    """A duration that the design claims, for example "below 1 ms". ``low_ms`` is 0 if the design names only an upper
    limit."""

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
    ``breakable``: how its links are broken by a fault of their own; None where they cannot be.
    ``settings`` are those that ``--backplane-setting`` takes; the server gets all of them in its section of the backplane.
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
    settings: tuple[BackplaneSetting, ...] = ()
    breakable: BreakableLink | None = None
    commit_seen_early: bool = False
    """PostgreSQL itself shows a message to all servers at its COMMIT. Another server may have the message before the
    committing server gets the confirmation, so the order of the two times proves nothing."""

    @property
    def links_servers(self) -> bool:
        """Servers connect to each other: each gets the address to listen on (``host``, ``port``) and the ``peers``."""
        return self.links is Links.FULL_MESH

    def link_names(self, servers: int) -> tuple[str, ...]:
        """The links that a fault can break, see `harness.model.link`; none where it cannot break any."""
        if self.breakable is None:
            return ()
        return full_mesh(servers) if self.links_servers else star(servers, str(self.carrier))


@dataclass(frozen=True, slots=True, kw_only=True)
class WritePath:
    """When a message is committed. ``promise`` is what an acknowledgement promises. ``commits_first``: the
    server publishes a message only after its COMMIT. ``claim``: what the design says of the time to the
    acknowledgement. ``backplanes``: those whose broker it can use; None for all."""

    name: str
    promise: str
    commits_first: bool
    backplanes: tuple[str, ...] | None = None
    decision: tuple[str, str] | None = None
    claim: LatencyClaim | None = None


def unfit(write_path: WritePath, backplane: Backplane) -> str:
    """Why the two cannot be combined; empty if they can."""
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
        Backplane(
            name="postgres-poll",
            title="every server polls PostgreSQL",
            broker=None,
            commit_seen_early=True,
            carrier=Target.DATABASE,
            links=Links.STAR,
            claim=LatencyClaim(words="+50–100 ms", low_ms=50, high_ms=100),
            adapter=("backplane/postgres_poll.py",),
            settings=(
                BackplaneSetting(
                    name="interval_ms",
                    default=50.0,
                    low=1,
                    high=60_000,
                    help="milliseconds from one read to the next; servers ÷ interval queries a second, also without "
                    "messages",
                ),
            ),
        ),
        Backplane(
            name="postgres-notify",
            title="PostgreSQL LISTEN/NOTIFY",
            broker=None,
            carrier=Target.DATABASE,
            links=Links.STAR,
            claim=LatencyClaim(words="50–100 ms class", low_ms=50, high_ms=100),
            adapter=("backplane/postgres_notify.py",),
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
            breakable=BreakableLink(
                noun="listening connection",
                relayed=(FaultKind.PAUSE,),
                sessions=(FaultKind.KILL, FaultKind.RESTART),
                session_name="{server} backplane listener",
                address_settings=("listen_host", "listen_port"),
            ),
        ),
        Backplane(
            name="mesh",
            title="a direct connection between every two servers",
            broker=None,
            carrier=Target.SERVER,
            links=Links.FULL_MESH,
            ports_per_server=1,
            adapter=("backplane/mesh.py", "backplane/mesh_lease.py", "backplane/mesh_link.py"),
            breakable=BreakableLink(
                noun="link",
                relayed=(FaultKind.STOP, FaultKind.KILL, FaultKind.PAUSE, FaultKind.RESTART),
            ),
        ),
        Backplane(
            name="redis-streams",
            title="Redis Streams",
            broker="redis",
            carrier=Target.BROKER,
            links=Links.STAR,
            adapter=("backplane/redis_streams.py", "backplane/redis_publisher.py", "backplane/resp_connection.py"),
            settings=(
                BackplaneSetting(name="streams", default=16, low=1, high=256, help="how many streams"),
                BackplaneSetting(
                    name="entries",
                    default=10_000,
                    low=100,
                    high=10_000_000,
                    help="how many entries each stream keeps, approximately",
                ),
                BackplaneSetting(
                    name="read_count", default=100, low=1, high=10_000, help="entries of a stream that one read takes"
                ),
            ),
        ),
        Backplane(
            name="nats",
            title="NATS",
            broker="nats",
            carrier=Target.BROKER,
            links=Links.STAR,
            adapter=("backplane/nats_core.py", "backplane/nats_connection.py"),
        ),
        Backplane(
            name="kafka",
            title="Kafka",
            broker="kafka",
            carrier=Target.BROKER,
            links=Links.STAR,
            claim=LatencyClaim(words="5–10 ms", low_ms=5, high_ms=10),
            adapter=(
                "backplane/kafka.py",
                "backplane/kafka_publisher.py",
                "backplane/kafka_topic.py",
                "backplane/kafka_watch.py",
            ),
            settings=(
                BackplaneSetting(name="partitions", default=8, low=1, high=256, help="of the topic"),
                BackplaneSetting(
                    name="retention_ms",
                    default=600_000,
                    low=1_000,
                    high=86_400_000,
                    help="how long Kafka keeps messages",
                ),
            ),
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
        WritePath(
            name="broker-first",
            promise="the message is published, and is committed later if its server does not die first",
            commits_first=False,
            backplanes=("redis",),
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
