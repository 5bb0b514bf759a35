import math
from typing import Any

import pytest

from harness.report.text.quantities import (
    SPACE,
    THOUSANDS,
    count,
    figure,
    formatted,
    heading,
    label,
    many,
    milliseconds,
    regrouped,
    seconds,
    size,
)


def plain(words: str) -> str:
    return words.replace(THOUSANDS, "'").replace(SPACE, " ")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0, "0"),
        (999, "999"),
        (1_200_000, "1'200'000"),
        (-1234, "−1'234"),
        (None, "–"),
        (math.nan, "–"),
        ("7", "–"),
        (True, "–"),
    ],
)
def test_counts_are_exact_and_grouped(value: Any, words: str) -> None:
    """Integers keep every digit. A value that is not a number reads as unknown."""
    assert plain(count(value)) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (61.83, "61.8"),
        (0.0123456, "0.0123"),
        (99.96, "100"),
        (123.4, "123"),
        (0.0, "0"),
        (5.0, "5"),
        (12_345.6, "12'346"),
        (1e-12, "0"),
    ],
)
def test_figures_have_three_digits(value: float, words: str) -> None:
    """A reader needs no more digits."""
    assert plain(figure(value)) == words


def test_units_are_always_there() -> None:
    """The unit of a value comes from its key, or from the key of the object that holds it."""
    assert plain(formatted(61.8, "p99_ms")) == "61.8 ms"
    assert plain(formatted({"p99": 61.8, "count": 3}, "latency_ms")) == "P99 61.8 ms, count 3"
    assert plain(formatted(1000, "messages_hz")) == "1'000 /s"
    assert plain(formatted({"p99_ms_below": 100})) == "P99 below 100 ms"
    assert plain(formatted(54_800_000, "rss_bytes")) == "52.3 MiB"
    assert plain(formatted(1_572_864.0, "net_out_bytes_hz")) == "1.5 MiB/s"
    assert plain(milliseconds(12_400.0)) == "12.4 s"
    assert plain(size(512)) == "512 B"
    assert plain(size(5 * 1024**4)) == "5 TiB"


def test_long_lists_are_cut_and_counted() -> None:
    """The text has a bounded length for a value of any length."""
    assert formatted(list(range(100))).endswith("23 and 76 more")


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("p99_ms", "P99"),
        ("p999", "P99.9"),
        ("lost_tail", "lost tail"),
        ("cpu_cores", "CPU"),
        ("fan_out", "fan-out"),
        ("rss_bytes", "resident memory"),
        ("loop_late_p99_ms", "loop late P99"),
        ("net_out_bytes_hz", "net out"),
        ("ms", "ms"),
    ],
)
def test_keys_read_as_words(key: str, words: str) -> None:
    """A key of the JSON is readable without its unit."""
    assert label(key) == words


def test_headings_begin_with_a_capital() -> None:
    """Column headings look alike, whether they are fixed or come from a key."""
    assert heading("lost_tail") == "Lost tail"


def test_prose_is_grouped_like_figures() -> None:
    """Only commas between thousands are replaced."""
    assert plain(regrouped("1,000,000 of 12,34 and 5, 600")) == "1'000'000 of 12,34 and 5, 600"


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.05, "50 ms"), (0, "0 s"), (1.0, "1 s"), (10.42, "10.4 s"), (-0.2, "−200 ms"), (-1.5, "−1.5 s"), (None, "–")],
)
def test_seconds_below_one_are_milliseconds(value: Any, words: str) -> None:
    """This holds for times before zero and after it."""
    assert plain(seconds(value)) == words


def test_nouns_agree_with_their_number() -> None:
    """One post is singular, any other number is plural."""
    assert [plain(many(value, "post")) for value in (0, 1, 1000)] == ["0 posts", "1 post", "1'000 posts"]
