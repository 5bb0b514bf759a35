"""Kafka as a backplane: its settings and its registry entry. The client library is imported only if it is chosen."""

from reference_server.backplane.base import Backplane, BackplaneContext, BackplaneKind
from reference_server.settings_section import Section


class Kafka(Section, frozen=True, kw_only=True):
    """The address of Kafka, and the topic, which is the same for every server: the first server creates it.

    The number of partitions is fixed at creation: a server that reads by assignment does not notice new ones. Kafka
    keeps messages for ``retention_ms``: a server needs them only for the time that it may be away, and the message log
    keeps them always.
    """

    host: str
    port: int = 9092
    username: str | None = None
    password: str | None = None
    password_file: str | None = None
    topic: str = "chat"
    partitions: int = 8
    retention_ms: int = 600_000


def _build(section: Kafka, context: BackplaneContext) -> Backplane:
    from reference_server.backplane.kafka_topic import KafkaTopic

    return KafkaTopic(section, context.metrics)


KIND = BackplaneKind(name="kafka", section=Kafka, broker="kafka", build=_build)
