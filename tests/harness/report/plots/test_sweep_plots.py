import pytest

from harness.report.plots import palette
from harness.report.plots.sweep_plots import Line, Plot, Point, draw_plot


def a_plot(*points: Point, fit: tuple[float, float] | None = None, limit: float | None = None) -> Plot:
    line = Line(name="servers", colour=palette.INK, points=points, fit=fit)
    return Plot(name="cpu", title="CPU", unit="µs per message", lines=(line,), limit=limit, limit_words="limit")


def test_every_run_is_a_point_and_the_line_joins_the_medians() -> None:
    """There are three runs at 2 servers and one run at 4."""
    points = [Point(servers=2, value=value) for value in (10.0, 12.0, 50.0)] + [Point(servers=4, value=20.0)]
    axes = draw_plot(a_plot(*points)).axes[0]
    line = axes.lines[-1]
    assert list(line.get_xdata()) == [2, 4]
    assert list(line.get_ydata()) == [12.0, 20.0]
    assert sum(drawn.get_marker() == "o" for drawn in axes.lines) == 4


def test_an_interval_contains_its_point() -> None:
    axes = draw_plot(a_plot(Point(servers=2, value=10.0, low=11.0, high=12.0), Point(servers=4, value=9.0))).axes[0]
    assert list(axes.lines[0].get_ydata()) == [10.0, 12.0]


def test_a_fit_is_drawn_in_place_of_the_medians() -> None:
    axes = draw_plot(a_plot(Point(servers=2, value=14.0), Point(servers=4, value=16.0), fit=(10.0, 2.0))).axes[0]
    assert list(axes.lines[-1].get_ydata()) == [14.0, 18.0]
    assert axes.lines[-1].get_label() == "servers, linear fit"


@pytest.mark.parametrize("value", [0.0, 1e-9, 1e12])
def test_odd_values_have_an_axis_from_zero(value: float) -> None:
    low, high = draw_plot(a_plot(Point(servers=2, value=value))).axes[0].get_ylim()
    assert low == 0
    assert high > value


def test_the_limit_is_inside_the_axis() -> None:
    assert draw_plot(a_plot(Point(servers=2, value=1.0), limit=100.0)).axes[0].get_ylim()[1] > 100.0
