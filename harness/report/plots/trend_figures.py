"""The measures of a trend over its runs: levels between changes, machine changes as lines, verdicts as a strip."""

import math
from typing import TYPE_CHECKING

from harness.model.status import Status
from harness.model.trend import Line, TrendSeries
from harness.report.plots import palette
from harness.report.plots.curves import printable
from harness.report.plots.drawing import SETTINGS, Drawing, draw
from harness.report.text.measure_words import measure_title, measure_value, signed_percent
from harness.report.text.quantities import figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, HEIGHT = 480.0, 250.0
_SMALL, _TEXT, _TITLE = 11.0, 12.0, 14.0
_STRIP = {Status.PASS: palette.DATABASE, Status.UNKNOWN: palette.MESSAGES, Status.FAIL: palette.LIMIT}


def trend_drawings(series: TrendSeries, prefix: str) -> tuple[Drawing, ...]:
    """One figure a measure. ``prefix`` makes the names of the figures of several series different."""
    import matplotlib as mpl

    with mpl.rc_context(SETTINGS):
        return tuple(
            draw(
                _figure(series, line),
                name=f"{prefix}_{line.measure}",
                title=measure_title(line.measure),
                group="trend",
                summary=_summary(line),
            )
            for line in series.lines
        )


def _figure(series: TrendSeries, line: Line) -> "Figure":
    from matplotlib.figure import Figure

    drawing = Figure(figsize=(WIDTH / 72, HEIGHT / 72), dpi=72, facecolor="none")
    axes = drawing.add_axes((0.115, 0.2, 0.86, 0.56), facecolor="none")
    used = [(index, value) for index, value in enumerate(line.values) if value is not None]
    axes.plot(
        [index for index, _ in used],
        [value for _, value in used],
        color=palette.DELIVERY[1].light,
        linewidth=1.0,
        marker="o",
        markersize=3,
        zorder=3,
    )
    _levels(axes, series, line, used)
    for index in series.machine_changes:
        axes.axvline(index - 0.5, color=palette.MUTED.light, linewidth=1, linestyle=(0, (1, 2)), zorder=2)
    top = max(value for _, value in used)
    for index, entry in enumerate(series.entries):
        colour = _STRIP[entry.verdict].light
        axes.plot([index], [-0.06 * top], marker="s", markersize=4, color=colour, zorder=4, clip_on=False)
    _frame(axes, len(series.entries), top)
    drawing.text(
        0.008, 1 - 15 / HEIGHT, measure_title(line.measure), fontsize=_TITLE, weight="bold", color=palette.INK.light
    )
    words = _unit_words(line)
    drawing.text(0.008, 1 - 33 / HEIGHT, printable(words, 70), fontsize=_SMALL, color=palette.MUTED.light)
    return drawing


def _levels(axes: "Axes", series: TrendSeries, line: Line, used: list[tuple[int, float]]) -> None:
    """Each change as a line at its first run with its percentage, and the two levels around it."""
    for point in line.change_points:
        colour = palette.LIMIT if point.alarms else palette.MUTED
        axes.axvline(point.first - 0.5, color=colour.light, linewidth=1.2, zorder=2)
        machine = series.entries[point.first].machine_key
        mine = [index for index, _ in used if series.entries[index].machine_key == machine]
        cuts = [other.first for other in line.change_points if series.entries[other.first].machine_key == machine]
        begin = max((cut for cut in cuts if cut < point.first), default=mine[0])
        end = min((cut for cut in cuts if cut > point.first), default=mine[-1])
        axes.plot([begin, point.first - 0.5], [point.before] * 2, color=colour.light, linewidth=1.4, zorder=4)
        axes.plot([point.first - 0.5, end], [point.after] * 2, color=colour.light, linewidth=1.4, zorder=4)
        right = point.first > 0.75 * len(series.entries)
        axes.annotate(
            signed_percent(point.percent),
            (point.first - 0.5, 1),
            xycoords=("data", "axes fraction"),
            xytext=(-4 if right else 4, 2),
            textcoords="offset points",
            fontsize=_SMALL,
            color=colour.light,
            ha="right" if right else "left",
            va="bottom",
        )


def _unit_words(line: Line) -> str:
    changes = len(line.change_points)
    scale = f"{_unit(line)}, by run" if _unit(line) else "by run"
    return f"{scale}; {changes} change{'' if changes == 1 else 's'} of level; squares: verdicts"


def _unit(line: Line) -> str:
    from harness.model.measure import MEASURES

    return MEASURES.get(line.measure).unit


def _frame(axes: "Axes", runs: int, top: float) -> None:
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(palette.MUTED.light)
    axes.grid(axis="y", color=palette.GRID.light, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(which="both", length=0, labelsize=_TEXT, labelcolor=palette.MUTED.light, pad=13)
    axes.tick_params(axis="y", pad=5)
    axes.set_xlim(-0.7, max(runs - 0.3, 1.0))
    axes.set_ylim(0, top * 1.12)
    axes.locator_params(axis="x", integer=True)
    axes.locator_params(axis="y", nbins=5)
    axes.yaxis.set_major_formatter(lambda value, position: _tick(value))
    axes.xaxis.set_major_formatter(lambda value, position: figure(int(value) + 1) if value == int(value) else "")


def _tick(value: float) -> str:
    for power, letter in ((1e6, "M"), (1e3, "k")):
        if abs(value) >= power:
            return figure(value / power) + letter
    return figure(int(value)) if value == math.floor(value) else figure(value)


def _summary(line: Line) -> str:
    known = [value for value in line.values if value is not None]
    words = f"{len(known)} runs, {measure_value(line.measure, min(known))} to {measure_value(line.measure, max(known))}"
    changes = [f"run {point.first + 1}: {signed_percent(point.percent)}" for point in line.change_points]
    return words + (f"; changes of level at {', '.join(changes)}" if changes else "; no change of level")
