import pytest

from harness.report.raw.column_names import column_name, share_of


@pytest.mark.parametrize(
    ("line", "label", "expected"),
    [
        ("P99", "delivery latency (ms)", "p99_ms"),
        ("broker in", "bytes/s", "broker_in_bytes_per_s"),
        ("server-3", "cores", "server_3_cores"),
        ("messages", "per second", "messages_per_s"),
        ("=cmd()", "</td>", "cmd_td"),
    ],
)
def test_a_column_is_a_word_that_ends_in_its_unit(line: str, label: str, expected: str) -> None:
    """A column name has only letters, digits and underscores, for any name of a curve."""
    assert column_name(line, label) == expected


def test_a_share_is_read_back_from_its_place() -> None:
    """The axis of the percentiles is −log10(1 − share)."""
    assert [share_of(nines) for nines in (0.0, 1.0, 3.0)] == [0.0, 0.9, 0.999]
