"""The backplanes that a server can use. To add one: a module in this folder with its ``KIND``, and a line here."""

from reference_server.backplane import in_memory, kafka, nats_core, redis_pubsub, redis_streams
from reference_server.backplane.base import BackplaneKind
from reference_server.registry import Registry

BACKPLANES: Registry[BackplaneKind] = Registry(
    "backplane",
    in_memory.KIND,
    redis_pubsub.KIND,
    redis_streams.KIND,
    nats_core.KIND,
    kafka.KIND,
)
