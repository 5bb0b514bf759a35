"""The container of Kafka, from the public image."""

from harness.environments.docker.recipe import Recipe
from harness.environments.kafka_settings import CLUSTER_ID, HEAP, USER, kafka_settings, properties
from harness.model.cluster import Topology
from harness.model.component import COMPONENT_KINDS, Role

KAFKA_IMAGE = "apache/kafka:4.4.0"
CONTROLLER_PORT = 9093
DATA = "/var/lib/kafka/data"
SETTINGS = "mnt/shared/config/server.properties"
"""where the image looks for a file that replaces its own"""
KIND = "kafka"


def kafka_recipe(name: str, password: str, topology: Topology) -> Recipe:
    """Kafka with the settings of the embedded one."""
    port = COMPONENT_KINDS.get(KIND).default_port
    settings = kafka_settings(
        listen=f"0.0.0.0:{port}",
        advertised=f"{name}:{port}",
        controller_port=CONTROLLER_PORT,
        password=password,
        data=DATA,
    )
    return Recipe(
        name=name,
        role=Role.BROKER,
        kind=KIND,
        image=KAFKA_IMAGE,
        port=port,
        user=USER,
        environment={"CLUSTER_ID": CLUSTER_ID, "KAFKA_HEAP_OPTS": HEAP},
        files={SETTINGS: properties(settings)},
    )
