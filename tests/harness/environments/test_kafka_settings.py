"""What the configuration of Kafka changes from its defaults."""

from harness.environments.kafka_settings import kafka_settings
from harness.model.component import COMPONENT_KINDS


def test_a_decision_matrix_counts_the_settings_that_are_written() -> None:
    """What the registry says must be changed is what the file changes."""
    written = kafka_settings(listen="h:1", advertised="h:1", controller_port=2, password="p", data="d")
    assert COMPONENT_KINDS.get("kafka").settings == tuple(written)
