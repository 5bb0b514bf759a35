"""Measures in words."""

import pytest

from harness.report.text.measure_words import measure_title, measure_value, signed_percent
from harness.report.text.quantities import SPACE


def test_titles_keep_the_place_in_a_sweep() -> None:
    """An unknown name stays unchanged."""
    assert measure_title("constant 4 servers: delivery_p99_ms") == "constant 4 servers: P99 delivery latency"
    assert measure_title("other") == "other"


def test_values_have_their_unit() -> None:
    """Bytes are in the largest unit that fits."""
    assert measure_value("delivery_p99_ms", 12.0) == f"12{SPACE}ms"
    assert measure_value("server_bytes_per_connection", 2048.0) == f"2{SPACE}KiB"
    assert measure_value("delivery_p99_ms", None) == "–"


@pytest.mark.parametrize(("value", "words"), [(1.25, "+1.2"), (-12.0, "−12.0"), (156.0, "+156"), (0.0, "+0.0")])
def test_changes_have_a_sign(value: float, words: str) -> None:
    """The sign shows the direction of the change."""
    assert signed_percent(value) == f"{words}{SPACE}%"
