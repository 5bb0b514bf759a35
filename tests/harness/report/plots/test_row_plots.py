"""Plots with one row for each name, drawn from made-up spreads."""

import pytest
from matplotlib.axes import Axes

from harness.model.measurements.matrix_measurements import Spread
from harness.report.plots import palette
from harness.report.plots.row_plots import FRAME, NAME_CHARACTERS, ROW_HEIGHT, Row, RowPlot, draw_rows
from tests.harness.report.matrix_verdicts import spread


def axes_of(*rows: Row, log: bool = False, series: tuple[str, ...] = ("P50", "P99")) -> Axes:
    plot = RowPlot(
        name="n", title="t", unit="ms", series=series, colours=palette.DELIVERY[: len(series)], rows=rows, log=log
    )
    (axes,) = draw_rows(plot).axes
    return axes


def a_row(name: str, *values: Spread | None) -> Row:
    return Row(name=name, values=values)


def test_each_figure_is_a_point_on_a_line_from_end_to_end() -> None:
    """The first row is on top. A value that was not measured is not drawn."""
    axes = axes_of(a_row("top", spread(5, 4, 8), None), a_row("low", spread(2), spread(9)))
    drawn = [(list(line.get_xdata()), list(line.get_ydata())) for line in axes.lines]
    assert drawn == [
        ([4, 8], [1, 1]),
        ([5], [1]),
        ([2, 2], [0, 0]),
        ([2], [0]),
        ([9, 9], [0, 0]),
        ([9], [0]),
    ]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["low", "top"]


def test_a_series_is_named_once_by_its_topmost_row() -> None:
    """The first row has no second series, so the second row names it."""
    axes = axes_of(a_row("a", spread(1), None), a_row("b", spread(2), spread(3)), a_row("c", spread(2), spread(3)))
    assert axes.get_legend_handles_labels()[1] == ["P50", "P99"]


def test_a_legend_stands_where_there_is_more_than_one_series() -> None:
    """The title names a single series."""

    def legends(count: int) -> int:
        series = ("P50", "P99")[:count]
        return len(axes_of(a_row("a", *[spread(1)] * count), series=series).figure.legends)

    assert (legends(1), legends(2)) == (0, 1)


@pytest.mark.parametrize(
    ("low", "high", "log", "scale"),
    [
        (1.0, 10.1, True, "log"),
        (1.0, 10.0, True, "linear"),
        (0.0, 100.0, True, "linear"),
        (1.0, 100.0, False, "linear"),
    ],
)
def test_the_axis_is_logarithmic_where_it_may_be_and_has_to_be(low: float, high: float, log: bool, scale: str) -> None:
    """The values must be above 0 and differ by more than ten times."""
    assert axes_of(a_row("a", spread(low), spread(high)), log=log).get_xscale() == scale


@pytest.mark.parametrize(
    ("low", "high", "limits"),
    [(2.0, 10.0, (0.0, 10.8)), (-5.0, 10.0, (-5.4, 10.8)), (0.0, 0.0, (0.0, 1.0)), (-5.0, -1.0, (-5.4, 1.0))],
)
def test_a_linear_axis_holds_zero_and_room_at_the_ends(low: float, high: float, limits: tuple[float, float]) -> None:
    """A recovery time may be below zero. A row of zeros has an axis too."""
    assert axes_of(a_row("a", spread(low), spread(high))).get_xlim() == pytest.approx(limits)


def test_the_figure_grows_with_its_rows() -> None:
    """Each further row adds ROW_HEIGHT."""
    heights = [axes_of(*[a_row("a", spread(1), None)] * rows).figure.get_size_inches()[1] * 72 for rows in (1, 4)]
    assert heights == pytest.approx([FRAME + ROW_HEIGHT, FRAME + 4 * ROW_HEIGHT])


def test_a_long_name_is_cut_at_its_end() -> None:
    """A name that just fits is not cut."""
    fits, long = "x" * NAME_CHARACTERS, "y" * (NAME_CHARACTERS + 1)
    axes = axes_of(a_row(long, spread(1), None), a_row(fits, spread(1), None))
    assert [label.get_text() for label in axes.get_yticklabels()] == [fits, f"{'y' * (NAME_CHARACTERS - 1)}…"]
