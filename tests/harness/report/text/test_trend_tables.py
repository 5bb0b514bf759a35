"""A trend in words."""

from dataclasses import replace

from harness.model.trend import Trend
from harness.report.text.trend_tables import margin_words, point_words, sparkline, trend_lines, verdict_strip
from tests.harness.report.comparisons import a_trend


def test_a_sparkline_has_one_character_a_run() -> None:
    """The characters go from the smallest value to the largest. A gap is a dot, and equal values are flat."""
    assert sparkline([1.0, None, 8.0]) == "▁·█"
    assert sparkline([5.0, 5.0]) == "▁▁"
    assert sparkline([None]) == "·"
    assert len(sparkline([1.0] * 500)) == 60


def test_a_change_names_levels_confidence_and_the_first_run() -> None:
    """A reader needs these to look for the cause."""
    series = a_trend().series[0]
    words = point_words(series, series.change_points[0])
    assert words.startswith("WORSE: CPU per delivery, servers +14")
    assert "first run after it scenario-a/night-020" in words
    assert "20 runs ago" in words
    accepted = replace(series.change_points[0], accepted="more checks")
    assert point_words(series, accepted).endswith("accepted: more checks")


def test_a_change_is_compared_with_its_margin_in_words() -> None:
    """A small change says that it is within its margin. A small change that gives an alarm says what the steps add up
    to. A large change needs no word."""
    series = a_trend().series[0]
    large = series.change_points[0]
    small = replace(large, percent=4.0, total_percent=4.0, margin_percent=5.0)
    assert margin_words(large) == ""
    assert point_words(series, small).startswith("worse: ")
    assert point_words(series, small).endswith("; within the margin of 5 %")
    creeping = point_words(series, replace(small, total_percent=8.2))
    assert creeping.startswith("WORSE: ")
    assert creeping.endswith("; +8.2 % with the steps before it, margin 5 %")


def test_the_strip_shows_verdicts_and_what_is_not_used() -> None:
    """A small letter marks a run that is not used."""
    assert verdict_strip(a_trend().series[0]).startswith("PPPuP")


def test_an_empty_history_says_what_to_do() -> None:
    """The text names the command for the first run."""
    assert "harness run" in "\n".join(trend_lines(Trend()))
