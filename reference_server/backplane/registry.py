"""The backplanes that a server can use. To add one: a module in this folder with its ``KIND``, and a line here."""

from reference_server.backplane import (
    in_memory,
    kafka,
    mesh,
    nats_core,
    postgres_notify,
    postgres_poll,
    redis_pubsub,
    redis_streams,
)
from reference_server.backplane.base import BackplaneKind
from reference_server.registry import Registry

BACKPLANES: Registry[BackplaneKind] = Registry(
    "backplane",
    in_memory.KIND,
    redis_pubsub.KIND,
    postgres_poll.KIND,
    postgres_notify.KIND,
    mesh.KIND,
    redis_streams.KIND,
    nats_core.KIND,
    kafka.KIND,
)
