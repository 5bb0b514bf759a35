"""The curves of a capacity search: latency and CPU over the load."""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from harness.model.capacity import Capacity, CapacityStep, TrialResult
from harness.report.plots import palette
from harness.report.plots.drawing import Drawing, draw, own_settings
from harness.report.plots.plotting import Limit, draw_limit
from harness.report.text.capacity_words import UNITS
from harness.report.text.quantities import figure, listed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, HEIGHT = 480.0, 300.0
_SMALL, _TEXT, _TITLE = 11.0, 12.0, 14.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One step; a step that held is drawn filled, all others hollow."""

    load: int
    value: float
    held: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    name: str
    colour: palette.Colour
    points: tuple[Point, ...]


def capacity_drawings(capacity: Capacity) -> tuple[Drawing, ...]:
    """Both figures; none without a measured step."""
    unit = UNITS[capacity.plan.vary]
    latency = (
        _line(capacity, "P50", palette.DELIVERY[0], lambda step: step.p50_ms),
        _line(capacity, "P99", palette.DELIVERY[2], lambda step: step.p99_ms),
    )
    cpu = (
        _line(capacity, "machine", palette.MACHINE, lambda step: step.cores.machine),
        _line(capacity, "servers", palette.SERVERS, lambda step: step.cores.servers),
        _line(capacity, "database", palette.DATABASE, lambda step: step.cores.database),
        _line(capacity, "broker", palette.BROKER, lambda step: step.cores.broker),
        _line(capacity, "load generator", palette.LOAD, lambda step: step.cores.generator),
    )
    found = []
    for name, title, y_unit, lines, limit_ms in (
        ("capacity_latency", "Delivery latency over the load", "ms", latency, capacity.plan.limit_ms),
        ("capacity_cpu", "CPU over the load", "cores", cpu, None),
    ):
        shown = tuple(line for line in lines if line.points)
        if shown:
            found.append(_drawing(name, title, f"{y_unit}; hollow: did not hold", unit, shown, limit_ms))
    return tuple(found)


def _line(capacity: Capacity, name: str, colour: palette.Colour, value: Callable[[CapacityStep], float | None]) -> Line:
    points = tuple(
        Point(load=step.value, value=found, held=step.result is TrialResult.HELD)
        for step in capacity.steps
        if (found := value(step)) is not None
    )
    return Line(name=name, colour=colour, points=points)


def _drawing(
    name: str, title: str, y_unit: str, x_unit: str, lines: tuple[Line, ...], limit_ms: float | None
) -> Drawing:
    with own_settings():
        drawn = _figure(title, y_unit, x_unit, lines, limit_ms)
        return draw(drawn, name=name, title=title, group="capacity", summary=_summary(lines, y_unit, x_unit))


def _figure(title: str, y_unit: str, x_unit: str, lines: tuple[Line, ...], limit_ms: float | None) -> "Figure":
    from matplotlib.figure import Figure

    drawing = Figure(figsize=(WIDTH / 72, HEIGHT / 72), dpi=72, facecolor="none")
    axes = drawing.add_axes((0.105, 0.29, 0.87, 0.52), facecolor="none")
    for line in lines:
        _draw_line(axes, line)
    if limit_ms is not None:
        draw_limit(axes, Limit(at=limit_ms, words=f"limit P99 {figure(limit_ms)} ms"), side="left")
    _frame(axes, lines, x_unit, limit_ms)
    drawing.text(0.008, 1 - 15 / HEIGHT, title, fontsize=_TITLE, weight="bold", color=palette.INK.light)
    drawing.text(0.008, 1 - 33 / HEIGHT, y_unit, fontsize=_SMALL, color=palette.MUTED.light)
    drawing.legend(
        loc="lower center",
        bbox_to_anchor=(0.5, -0.005),
        ncols=min(len(lines), 5),
        frameon=False,
        fontsize=_TEXT,
        labelcolor=palette.INK.light,
        handlelength=1.2,
        columnspacing=1.0,
    )
    return drawing


def _draw_line(axes: "Axes", line: Line) -> None:
    """Through the medians of each load, with every step as a point."""
    loads = sorted({point.load for point in line.points})
    middle = [median(point.value for point in line.points if point.load == load) for load in loads]
    axes.plot(loads, middle, color=line.colour.light, linewidth=1.6, zorder=3, label=line.name)
    for point in line.points:
        face = line.colour.light if point.held else "none"
        axes.plot(
            [point.load],
            [point.value],
            color=line.colour.light,
            marker="o",
            markersize=4.5,
            markerfacecolor=face,
            zorder=4,
        )


def _frame(axes: "Axes", lines: tuple[Line, ...], x_unit: str, limit_ms: float | None) -> None:
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(palette.MUTED.light)
    axes.grid(axis="y", color=palette.GRID.light, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(which="both", length=0, labelsize=_TEXT, labelcolor=palette.MUTED.light, pad=5)
    loads = [point.load for line in lines for point in line.points]
    axes.set_xlim(0, max(loads) * 1.06)
    axes.set_xlabel(x_unit, fontsize=_SMALL, color=palette.MUTED.light, labelpad=4)
    top = max([point.value for line in lines for point in line.points] + ([limit_ms] if limit_ms else []))
    if limit_ms is not None:
        # A load far beyond the capacity has latencies of seconds: the limit must still be visible.
        top = min(top, 5 * limit_ms)
    axes.set_ylim(0, top * 1.12 if top > 0 else 1.0)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(lambda value, position: figure(int(value) if value == int(value) else value))
    axes.locator_params(nbins=5)


def _summary(lines: tuple[Line, ...], y_unit: str, x_unit: str) -> str:
    """Each line's values at the smallest and at the largest load, in words."""
    parts = []
    for line in lines:
        ordered = sorted(line.points, key=lambda point: point.load)
        first, last = ordered[0], ordered[-1]
        parts.append(f"{line.name}: {figure(first.value)} at {first.load:,}, {figure(last.value)} at {last.load:,}")
    return f"{listed(parts)} ({y_unit.split(';')[0]} at {x_unit})"
