"""A comparison in words."""

from dataclasses import replace

from harness.report.text import comparison_tables as tables
from tests.harness.report.comparisons import a_comparison, a_difference


def test_the_first_line_says_what_decides() -> None:
    """Safety comes first, then differences, then the worst measure."""
    assert "Safety: lost" in next(tables.comparison_lines(a_comparison()))
    assert next(tables.comparison_lines(a_difference())).startswith("NOT COMPARABLE")
    worse = next(tables.comparison_lines(a_comparison(safety=())))
    assert worse.startswith("WORSE  branch against main: CPU per delivery, servers is worse by +")


def test_every_measure_has_its_margin_and_interval() -> None:
    """A reader can then check the decision."""
    line = next(line for line in tables.comparison_lines(a_comparison()) if "CPU per delivery" in line and "→" in line)
    assert "margin ±5 %" in line
    assert "[+" in line


def test_an_unbounded_interval_is_named() -> None:
    """The words replace an infinite end."""
    measure = replace(a_comparison().measures[0], low_percent=None, high_percent=None)
    assert tables.ends(measure) == "no lower end to no upper end"


def test_what_may_differ_is_in_the_lines() -> None:
    """The seed and the revision may differ."""
    lines = list(tables.comparison_lines(a_comparison()))
    assert any("noted       seed: BASE 1, RUN 2" in line for line in lines)
