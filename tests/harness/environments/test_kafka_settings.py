"""The configuration of Kafka: which settings are changed from their defaults."""

import pytest

from harness.environments.kafka_settings import kafka_settings, properties
from harness.model.component import COMPONENT_KINDS


def test_a_decision_matrix_counts_the_settings_that_are_written() -> None:
    """The registry lists the same settings as the file."""
    written = kafka_settings(listen="h:1", advertised="h:1", controller_port=2, password="p", data="d")
    assert COMPONENT_KINDS.get("kafka").settings == tuple(written)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("/tmp/a", "/tmp/a"),
        ("/a b", r"/a\u0020b"),
        ("C:\\x", r"C:\u005cx"),
        ("a\nb=c", r"a\u000ab=c"),
        ("größe", r"gr\u00f6\u00dfe"),
        ("\U0001f600", r"\ud83d\ude00"),
    ],
)
def test_a_value_may_hold_any_character(value: str, written: str) -> None:
    """The escapes are those of java.util.Properties. A temporary folder may have any name."""
    assert properties({"name": value}) == f"name={written}\n"
