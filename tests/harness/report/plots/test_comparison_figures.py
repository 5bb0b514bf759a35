"""The curves of BASE and RUN in one figure."""

from dataclasses import replace

from harness.report.plots.comparison_figures import RUNS_MAX, comparison_drawings
from tests.harness.report import verdicts


def test_each_curve_of_both_sides_is_drawn() -> None:
    """The figures show percentiles, time, CPU and steps, with the names of both sides."""
    drawn = comparison_drawings(([verdicts.passed()], [verdicts.passed()]), "p", "")
    names = {drawing.name for drawing in drawn}
    assert {"p_percentiles", "p_latency_p99", "p_steps"} <= names
    assert all("BASE" in drawing.svg and "RUN" in drawing.svg for drawing in drawn)


def test_a_curve_that_one_side_lacks_is_left_out() -> None:
    """The curve of one side alone is no comparison."""
    bare = replace(verdicts.passed(), series={}, run=None)
    assert comparison_drawings(([verdicts.passed()], [bare]), "p", "") == ()


def test_many_runs_are_bounded() -> None:
    """At most RUNS_MAX runs of a side are drawn, because more lines would cover each other."""
    every = [verdicts.passed()] * (RUNS_MAX + 5)
    drawn = comparison_drawings((every, every), "p", "constant 4 servers")
    assert f"({RUNS_MAX} runs)" in drawn[0].summary
    assert drawn[0].summary.startswith("constant 4 servers: ")
