"""Curves of two groups of runs over each other: percentiles, latency over time, CPU, steps."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from harness.model.finding import Verdict
from harness.model.measurements.percentiles import Percentiles
from harness.report.plots import palette
from harness.report.plots.curves import printable
from harness.report.plots.drawing import MOVES, Drawing, draw, own_settings
from harness.report.text.quantities import figure, label

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, HEIGHT = 480.0, 300.0
RUNS_MAX = 12
"""lines of one side in a figure; more cover each other"""
_SMALL, _TEXT, _TITLE = 11.0, 12.0, 14.0
SIDES = ("BASE", "RUN")
_NAME_LETTERS = 44
_COLOURS = (palette.MACHINE, palette.BROKER)

Sides = tuple[Sequence[Verdict], Sequence[Verdict]]
Curve = tuple[Sequence[float], Sequence[float | None]]

_OVER_TIME = (
    ("latency", "P99", "P99 delivery latency over time", "ms"),
    ("live_latency", "P99", "P99 live delivery latency over time", "ms"),
    ("completion", "P99", "P99 completion latency over time", "ms"),
    ("acknowledgement", "P99", "P99 acknowledgement latency over time", "ms"),
    ("rate", "deliveries", "Deliveries over time", "per second"),
    ("cpu", "servers", "CPU of the servers over time", "cores"),
    ("cpu", "database", "CPU of the database over time", "cores"),
    ("cpu", "broker", "CPU of the broker over time", "cores"),
)


def comparison_drawings(sides: Sides, prefix: str, place: str, names: tuple[str, str] = SIDES) -> tuple[Drawing, ...]:
    """The figures of one point; those that one side has no curve of are left out. ``names``: of the sides, in
    legends."""
    names = (printable(names[0], _NAME_LETTERS), printable(names[1], _NAME_LETTERS))
    sides = (sides[0][:RUNS_MAX], sides[1][:RUNS_MAX])
    found = []
    with own_settings():
        for name, title, unit, make in _figures():
            curves = [[curve for verdict in side if (curve := make(verdict)) is not None] for side in sides]
            if all(curves):
                quantiles = name == "percentiles"
                drawn = _overlay(title, unit, curves, names, quantiles=quantiles)
                words = _summary(curves, unit, names)
                found.append(_drawing(drawn, f"{prefix}_{name}", title, place, words, timed=not quantiles))
        if (steps := _steps(sides, names)) is not None:
            words = "Median of the runs of each side: P50, and P99 as a line above it"
            found.append(_drawing(steps, f"{prefix}_steps", "Steps of a message", place, words))
    return tuple(found)


def _drawing(drawn: "Figure", name: str, title: str, place: str, summary: str, *, timed: bool = False) -> Drawing:
    words = f"{place}: {summary}" if place else summary
    return draw(drawn, name=name, title=title, group="comparison", summary=words, timed=timed)


def _figures() -> list[tuple[str, str, str, Callable[[Verdict], Curve | None]]]:
    found: list[tuple[str, str, str, Callable[[Verdict], Curve | None]]] = [
        (
            "percentiles",
            "Distribution of delivery latency",
            "ms",
            lambda verdict: _curve(verdict, "percentiles", "delivery"),
        )
    ]
    for series, line, title, unit in _OVER_TIME:
        found.append((f"{series}_{line.lower()}", title, unit, _reader(series, line)))
    return found


def _reader(series: str, line: str) -> Callable[[Verdict], Curve | None]:
    return lambda verdict: _curve(verdict, series, line)


def _curve(verdict: Verdict, name: str, line: str) -> Curve | None:
    series = verdict.series.get(name)
    values = series.lines.get(line) if series is not None else None
    if series is None or values is None or len(values) != len(series.x):
        return None
    if not any(value is not None and math.isfinite(value) for value in values):
        return None
    return series.x, values


def _overlay(
    title: str, unit: str, sides: Sequence[Sequence[Curve]], names: tuple[str, str], *, quantiles: bool
) -> "Figure":
    from matplotlib.figure import Figure

    drawing = Figure(figsize=(WIDTH / 72, HEIGHT / 72), dpi=72, facecolor="none")
    axes = drawing.add_axes((0.115, 0.25, 0.86, 0.56), facecolor="none")
    for name, colour, curves in zip(names, _COLOURS, sides, strict=True):
        for number, (x, y) in enumerate(curves):
            axes.plot(
                x,
                [math.nan if value is None else value for value in y],
                color=colour.light,
                linewidth=1.8 if len(curves) == 1 else 1.0,
                label=name if number == 0 else None,
                zorder=3,
                gid=MOVES,
            )
    _frame(axes)
    seen = [value for curves in sides for _, y in curves for value in y if value is not None and math.isfinite(value)]
    log = min(seen) > 0 and max(seen) > 15 * sorted(seen)[len(seen) // 2]
    if log:
        axes.set_yscale("log")
        axes.yaxis.set_minor_formatter(lambda value, position: "")
    else:
        axes.set_ylim(0, max(seen) * 1.12 if max(seen) > 0 else 1.0)
    axes.yaxis.set_major_formatter(lambda value, position: figure(int(value) if value == int(value) else value))
    if quantiles:
        _nines(axes)
    else:
        axes.margins(x=0)
        axes.set_xlabel("s", fontsize=_SMALL, color=palette.MUTED.light, labelpad=3)
    _words(drawing, title, f"{unit}{', logarithmic' if log else ''}")
    return drawing


def _nines(axes: "Axes") -> None:
    top = axes.get_xlim()[1]
    ticks = [
        (-math.log10(0.5), "50 %"),
        (1.0, "90 %"),
        (2.0, "99 %"),
        (3.0, "99.9 %"),
        (4.0, "99.99 %"),
        (5.0, "99.999 %"),
    ]
    shown = [tick for tick in ticks if tick[0] <= 0.97 * top]  # a word at the very end would leave the figure
    axes.set_xlim(0, top)
    axes.set_xticks([at for at, _ in shown], [words for _, words in shown])


def _words(drawing: "Figure", title: str, unit: str) -> None:
    drawing.text(0.008, 1 - 15 / HEIGHT, title, fontsize=_TITLE, weight="bold", color=palette.INK.light)
    drawing.text(0.008, 1 - 33 / HEIGHT, unit, fontsize=_SMALL, color=palette.MUTED.light)
    drawing.legend(
        loc="lower center",
        bbox_to_anchor=(0.5, -0.01),
        ncols=2,
        frameon=False,
        fontsize=_TEXT,
        labelcolor=palette.INK.light,
        handlelength=1.6,
    )


def _frame(axes: "Axes") -> None:
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(palette.MUTED.light)
    axes.grid(axis="y", color=palette.GRID.light, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(which="both", length=0, labelsize=_TEXT, labelcolor=palette.MUTED.light, pad=5)


def _steps(sides: Sides, names: tuple[str, str]) -> "Figure | None":
    """Two bars a step: the median of the runs' P50, with the P99 as a thin line."""
    found = [_step_medians(side) for side in sides]
    steps = [name for name in found[0] if name in found[1]]
    if not steps:
        return None
    from matplotlib.figure import Figure

    drawing = Figure(figsize=(WIDTH / 72, HEIGHT / 72), dpi=72, facecolor="none")
    axes = drawing.add_axes((0.115, 0.25, 0.86, 0.56), facecolor="none")
    for offset, side, colour, medians in zip((-0.2, 0.2), names, _COLOURS, found, strict=True):
        at = [index + offset for index in range(len(steps))]
        axes.bar(at, [medians[name][0] for name in steps], width=0.36, color=colour.light, label=side, zorder=3)
        for x, name in zip(at, steps, strict=True):
            axes.plot([x, x], [medians[name][0], medians[name][1]], color=colour.light, linewidth=1.2, zorder=3)
            axes.plot([x - 0.1, x + 0.1], [medians[name][1]] * 2, color=colour.light, linewidth=1.2, zorder=3)
    _frame(axes)
    axes.set_xticks(range(len(steps)), [label(name) for name in steps])
    axes.set_ylim(0, max(medians[name][1] for medians in found for name in steps) * 1.12)
    axes.yaxis.set_major_formatter(lambda value, position: figure(int(value) if value == int(value) else value))
    _words(drawing, "Steps of a message", "ms; bar: P50, line: P99")
    return drawing


def _step_medians(side: Sequence[Verdict]) -> Mapping[str, tuple[float, float]]:
    values: dict[str, list[tuple[float, float]]] = {}
    for verdict in side:
        steps: Any = verdict.run.steps if verdict.run else None
        for field in fields(steps) if steps is not None else ():
            step = getattr(steps, field.name)
            if isinstance(step, Percentiles) and step.p50_ms is not None and step.p99_ms is not None:
                values.setdefault(field.name, []).append((step.p50_ms, step.p99_ms))
    return {
        name: (_median([p50 for p50, _ in found]), _median([p99 for _, p99 in found])) for name, found in values.items()
    }


def _median(values: Sequence[float]) -> float:
    return sorted(values)[(len(values) - 1) // 2]


def _summary(sides: Sequence[Sequence[Curve]], unit: str, names: tuple[str, str]) -> str:
    parts = []
    for name, curves in zip(names, sides, strict=True):
        seen = [value for _, y in curves for value in y if value is not None and math.isfinite(value)]
        runs = "run" if len(curves) == 1 else "runs"
        parts.append(f"{name} ({len(curves)} {runs}): {figure(min(seen))} to {figure(max(seen))} {unit}")
    return "; ".join(parts)
