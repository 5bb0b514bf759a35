"""One figure with a row for each name, in matplotlib: points with their intervals along a common axis."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.model.measurements.matrix_measurements import Spread
from harness.report.plots import palette
from harness.report.text.quantities import figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, ROW_HEIGHT, FRAME = 480.0, 26.0, 118.0
_SMALL, _TEXT, _TITLE = 11.0, 12.0, 14.0
NAME_CHARACTERS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """``values`` has one entry for each series of the plot; None if it was not measured."""

    name: str
    values: tuple[Spread | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RowPlot:
    """``log``: the axis is logarithmic if every value is above 0 and they differ by more than ten times."""

    name: str
    title: str
    unit: str
    series: tuple[str, ...]
    colours: tuple[palette.Colour, ...]
    rows: tuple[Row, ...]
    log: bool = False


def draw_rows(plot: RowPlot) -> "Figure":
    """The figure of ``plot``, which has at least one row. Its height grows with the rows."""
    from matplotlib.figure import Figure

    height = FRAME + ROW_HEIGHT * len(plot.rows)
    drawing = Figure(figsize=(WIDTH / 72, height / 72), dpi=72, facecolor="none")
    axes = drawing.add_axes((0.36, 66 / height, 0.60, ROW_HEIGHT * len(plot.rows) / height), facecolor="none")
    for index, row in enumerate(plot.rows):
        _draw_row(axes, plot, row, len(plot.rows) - 1 - index)
    _frame(axes, plot)
    drawing.text(0.008, 1 - 15 / height, plot.title, fontsize=_TITLE, weight="bold", color=palette.INK.light)
    drawing.text(0.008, 1 - 33 / height, plot.unit, fontsize=_SMALL, color=palette.MUTED.light)
    if len(plot.series) > 1:
        drawing.legend(
            loc="lower center",
            bbox_to_anchor=(0.5, -0.005),
            ncols=len(plot.series),
            frameon=False,
            fontsize=_TEXT,
            labelcolor=palette.INK.light,
            handlelength=1.0,
        )
    return drawing


def _draw_row(axes: "Axes", plot: RowPlot, row: Row, height: int) -> None:
    for index, found in enumerate(row.values):
        if found is None:
            continue
        colour = plot.colours[index].light
        # A series is named once in the legend, by the topmost row.
        label = plot.series[index] if row is _first_with(plot, index) else None
        axes.plot([found.low, found.high], [height, height], color=colour, linewidth=1.4, zorder=3)
        axes.plot(
            [found.value], [height], color=colour, marker="o", markersize=5, linestyle="none", zorder=4, label=label
        )


def _first_with(plot: RowPlot, index: int) -> Row | None:
    return next((row for row in plot.rows if row.values[index] is not None), None)


def _frame(axes: "Axes", plot: RowPlot) -> None:
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(palette.MUTED.light)
    axes.grid(axis="x", color=palette.GRID.light, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(which="both", length=0, labelsize=_TEXT, labelcolor=palette.MUTED.light, pad=5)
    axes.set_yticks(range(len(plot.rows)), [_short(row.name) for row in reversed(plot.rows)])
    axes.set_ylim(-0.6, len(plot.rows) - 0.4)
    found = [one for row in plot.rows for one in row.values if one is not None]
    low, high = min(one.low for one in found), max(one.high for one in found)
    if plot.log and low > 0 and high > 10 * low:
        axes.set_xscale("log")
        axes.xaxis.set_minor_formatter(lambda value, position: "")
    else:
        axes.set_xlim(min(0.0, low * 1.08), high * 1.08 if high > 0 else 1.0)
        axes.locator_params(axis="x", nbins=5)
    axes.xaxis.set_major_formatter(lambda value, position: figure(int(value) if value == int(value) else value))


def _short(name: str) -> str:
    """A name that fits beside its row: its end is cut off."""
    return name if len(name) <= NAME_CHARACTERS else f"{name[: NAME_CHARACTERS - 1]}…"
