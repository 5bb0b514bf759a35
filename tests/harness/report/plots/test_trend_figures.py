"""The figure of a measure over its runs."""

from harness.report.plots.trend_figures import trend_drawings
from tests.harness.report.comparisons import a_trend


def test_a_change_and_its_levels_are_drawn_and_told() -> None:
    """The figure shows the percentage. The description gives the change in words for screen readers."""
    (drawing,) = trend_drawings(a_trend().series[0], "t")
    assert drawing.name == "t_servers_cpu_us_per_delivery"
    assert "+14" in drawing.svg
    assert "39 runs" in drawing.summary
    assert "changes of level at run 21" in drawing.summary
