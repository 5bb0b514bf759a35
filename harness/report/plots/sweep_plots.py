"""One figure over server counts, in matplotlib: points with their intervals, lines between their medians, straight
fits."""

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

from harness.report.plots import palette
from harness.report.plots.plotting import Limit, draw_limit
from harness.report.text.quantities import figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, HEIGHT = 480.0, 300.0
_SMALL, _TEXT, _TITLE = 11.0, 12.0, 14.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One run: a value at a server count, with its interval if it has one."""

    servers: int
    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One figure of the runs. ``fit`` is (intercept, slope) of the straight line that is drawn through the points."""

    name: str
    colour: palette.Colour
    points: tuple[Point, ...]
    dashed: bool = False
    fit: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    name: str
    title: str
    unit: str
    lines: tuple[Line, ...]
    limit: float | None = None
    limit_words: str = ""


def draw_plot(plot: Plot) -> "Figure":
    """The figure of ``plot``, which has at least one point."""
    from matplotlib.figure import Figure

    drawing = Figure(figsize=(WIDTH / 72, HEIGHT / 72), dpi=72, facecolor="none")
    axes = drawing.add_axes((0.105, 0.29, 0.87, 0.52), facecolor="none")
    for line in plot.lines:
        _line(axes, line)
    if plot.limit is not None:
        draw_limit(axes, Limit(at=plot.limit, words=plot.limit_words), side="left")
    _frame(axes, plot)
    drawing.text(0.008, 1 - 15 / HEIGHT, plot.title, fontsize=_TITLE, weight="bold", color=palette.INK.light)
    drawing.text(0.008, 1 - 33 / HEIGHT, plot.unit, fontsize=_SMALL, color=palette.MUTED.light)
    drawing.legend(
        loc="lower center",
        bbox_to_anchor=(0.5, -0.005),
        ncols=min(len(plot.lines), 3),
        frameon=False,
        fontsize=_TEXT,
        labelcolor=palette.INK.light,
        handlelength=1.6,
        columnspacing=1.4,
    )
    return drawing


def _line(axes: "Axes", line: Line) -> None:
    counts = sorted({point.servers for point in line.points})
    middle = [median(p.value for p in line.points if p.servers == servers) for servers in counts]
    colour = line.colour.light
    style: Any = (0, (4, 1.5)) if line.dashed else "solid"
    for point in line.points:
        low = point.value if point.low is None else min(point.low, point.value)
        high = point.value if point.high is None else max(point.high, point.value)
        axes.plot([point.servers, point.servers], [low, high], color=colour, linewidth=1.2, zorder=3)
        axes.plot([point.servers], [point.value], color=colour, marker="o", markersize=4, zorder=4)
    if line.fit is None:
        axes.plot(counts, middle, color=colour, linestyle=style, linewidth=1.6, zorder=3, label=line.name)
        return
    intercept, slope = line.fit
    ends = [counts[0], counts[-1]]
    fitted = [intercept + slope * servers for servers in ends]
    axes.plot(ends, fitted, color=colour, linestyle=style, linewidth=1.4, zorder=3, label=f"{line.name}, linear fit")


def _frame(axes: "Axes", plot: Plot) -> None:
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(palette.MUTED.light)
    axes.grid(axis="y", color=palette.GRID.light, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(which="both", length=0, labelsize=_TEXT, labelcolor=palette.MUTED.light, pad=5)
    counts = sorted({point.servers for line in plot.lines for point in line.points})
    axes.set_xticks(counts, [str(servers) for servers in counts])
    axes.set_xlim(0, counts[-1] * 1.06)
    axes.set_xlabel("servers", fontsize=_SMALL, color=palette.MUTED.light, labelpad=4)
    seen = [point.high or point.value for line in plot.lines for point in line.points]
    top = max([*seen, *([plot.limit] if plot.limit is not None else [])])
    axes.set_ylim(0, top * 1.12 if top > 0 else 1.0)
    axes.yaxis.set_major_formatter(lambda value, position: figure(int(value) if value == int(value) else value))
    axes.locator_params(axis="y", nbins=5)
