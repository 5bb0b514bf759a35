"""One row for each name: where its points and intervals lie, how the axis is chosen, what the legend names."""

import pytest

from harness.model.measurements.matrix_measurements import Spread
from harness.report.plots import palette
from harness.report.plots.row_plots import FRAME, NAME_CHARACTERS, ROW_HEIGHT, Row, RowPlot, draw_rows
from tests.harness.report.matrix_verdicts import spread


def a_plot(*rows: tuple[Spread | None, ...], names: tuple[str, ...] = "abc", log: bool = False) -> RowPlot:  # type: ignore[assignment]  # letters are names
    series = ("P50", "P99")[: len(rows[0])]
    return RowPlot(
        name="made_up",
        title="Made up",
        unit="ms",
        series=series,
        colours=palette.DELIVERY[: len(series)],
        rows=tuple(Row(name=name, values=values) for name, values in zip(names, rows, strict=False)),
        log=log,
    )


def test_the_first_row_is_on_top() -> None:
    """Each value is a point at its row's height, on a line from the low end of its interval to the high one."""
    axes = draw_rows(a_plot((spread(5, 4, 7),), (spread(9, 8, 10),))).axes[0]
    drawn = [([float(x) for x in line.get_xdata()], [float(y) for y in line.get_ydata()]) for line in axes.lines]
    assert drawn == [([4, 7], [1, 1]), ([5], [1]), ([8, 10], [0, 0]), ([9], [0])]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["b", "a"]


def test_the_figure_grows_with_its_rows() -> None:
    """A row more is ROW_HEIGHT more, at 72 dots an inch."""
    heights = [draw_rows(a_plot(*[(spread(1),)] * count)).get_size_inches()[1] * 72 for count in (1, 3)]
    assert heights == pytest.approx([FRAME + ROW_HEIGHT, FRAME + 3 * ROW_HEIGHT])


def test_the_legend_names_each_series_once_from_the_first_row_that_has_it() -> None:
    """A row may lack a value; one series alone needs no legend."""
    figure = draw_rows(a_plot((None, spread(2)), (spread(1), spread(3)), (spread(1), None)))
    assert sorted(text.get_text() for text in figure.legends[0].get_texts()) == ["P50", "P99"]
    assert len(figure.axes[0].lines) == 8
    assert draw_rows(a_plot((spread(1),))).legends == []


@pytest.mark.parametrize(
    ("low", "high", "log", "scale"),
    [(1, 10.1, True, "log"), (1, 10, True, "linear"), (1, 1000, False, "linear"), (0, 1000, True, "linear")],
)
def test_an_axis_is_logarithmic_where_positive_values_differ_more_than_ten_times(
    low: float, high: float, log: bool, scale: str
) -> None:
    axes = draw_rows(a_plot((spread(low),), (spread(high),), log=log)).axes[0]
    assert axes.get_xscale() == scale


@pytest.mark.parametrize(("value", "limits"), [(100.0, (0.0, 108.0)), (0.0, (0.0, 1.0)), (-100.0, (-108.0, 1.0))])
def test_a_linear_axis_holds_zero_and_every_value(value: float, limits: tuple[float, float]) -> None:
    """Also where nothing was lost: an axis has a width."""
    assert draw_rows(a_plot((spread(value),))).axes[0].get_xlim() == pytest.approx(limits)


def test_a_long_name_is_cut_to_what_fits() -> None:
    names = ("x" * NAME_CHARACTERS, "y" * (NAME_CHARACTERS + 1))
    axes = draw_rows(a_plot((spread(1),), (spread(2),), names=names)).axes[0]
    cut, whole = (label.get_text() for label in axes.get_yticklabels())
    assert (whole, cut) == (names[0], "y" * (NAME_CHARACTERS - 1) + "…")
