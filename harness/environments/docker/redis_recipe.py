"""The container of Redis, from the public image."""

from harness.environments.docker.recipe import SECRETS, Recipe
from harness.model.cluster import Topology
from harness.model.component import COMPONENT_KINDS, Role

REDIS_IMAGE = "redis:8"
KIND = "redis"


def redis_recipe(name: str, password: str, topology: Topology) -> Recipe:
    """Redis with the settings of the embedded Valkey."""
    port = COMPONENT_KINDS.get(KIND).default_port
    settings = (
        f"port {port}",
        f'requirepass "{password}"',
        "dir /data",
        'save ""',
        "appendonly no",
        "client-output-buffer-limit pubsub 32mb 8mb 60",
        "maxclients 1000",
    )
    return Recipe(
        name=name,
        role=Role.BROKER,
        kind=KIND,
        image=REDIS_IMAGE,
        port=port,
        command=("redis-server", f"/{SECRETS}/redis.conf"),
        files={f"{SECRETS}/redis.conf": "\n".join(settings) + "\n"},
    )
