"""One series on one pair of axes, in matplotlib. Lengths are in points; a figure is `WIDTH` wide wherever it is
shown."""

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from harness.model.finding import Series
from harness.report.plots import palette
from harness.report.plots.curves import families_of, printable, scaled, time_unit, unit
from harness.report.plots.drawing import MOVES, moves_with, pinned
from harness.report.plots.labels import Label, placed
from harness.report.plots.time_axis import Mark, Shade
from harness.report.text.quantities import SPACE, figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

WIDTH, _PLOT_HEIGHT = 480.0, 176.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 50.0, 12.0, 58.0, 42.0
_LEGEND_ROW, _LEGEND_COLUMNS = 18.0, 4
_SMALL, _TEXT, _TITLE = 11.0, 12.0, 14.0
_LETTER, _WORD_ROW = 0.58 * _SMALL, 13.0
_PLOT_WIDTH = WIDTH - _LEFT - _RIGHT
_WARM_UP = "warm-up"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    at: float
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """The background of a series: a time axis from ``span[0]`` to ``span[1]`` with its marks and the ``shades`` of
    outages, or quantiles."""

    span: tuple[float, float] | None = None
    marks: tuple[Mark, ...] = ()
    shades: tuple[Shade, ...] = ()
    quantiles: bool = False

    @property
    def timed(self) -> bool:
        """x is time, on the axis that all time plots share."""
        return self.span is not None and not self.quantiles

    @property
    def shown(self) -> tuple[Mark, ...]:
        """The marks on the time axis."""
        if self.span is None:
            return ()
        return tuple(mark for mark in self.marks if self.span[0] <= mark.at_s <= self.span[1])

    def labels(self) -> tuple[Label | None, ...]:
        """The word of each of `shown`. If there is little room, faults come first, then the moments that extend the
        axis."""
        if self.span is None:
            return ()
        begin, end = self.span
        order = sorted(
            range(len(self.shown)), key=lambda place: (not self.shown[place].harm, not self.shown[place].extends_axis)
        )
        marks = [self.shown[place] for place in order]
        found = placed(
            [((mark.at_s - begin) / (end - begin) * _PLOT_WIDTH, printable(mark.words)) for mark in marks],
            _PLOT_WIDTH,
            _LETTER,
            taken=len(_WARM_UP) * _LETTER if begin < 0 else 0.0,
        )
        return tuple(label for _, label in sorted(zip(order, found, strict=True), key=lambda pair: pair[0]))


def plot(name: str, title: str, series: Series, scene: Scene, limits: tuple[Limit, ...]) -> "Figure":
    """The figure of ``series``, which has at least one finite value and lines as long as ``x``."""
    from matplotlib.figure import Figure

    limits = tuple(replace(limit, at=limit.at / unit(series)[0]) for limit in limits)
    series = scaled(series)
    families = families_of(series)
    rows = math.ceil(len(families) / _LEGEND_COLUMNS) if len(families) > 1 else 0
    # Every figure of a report leaves the same room for words, so that plots side by side are level.
    raised = max((label.row for label in scene.labels() if label is not None), default=0)
    height = _TOP + raised * _WORD_ROW + _PLOT_HEIGHT + _BOTTOM + rows * _LEGEND_ROW
    drawing = Figure(figsize=(WIDTH / 72, height / 72), dpi=72, facecolor="none")
    axes = drawing.add_axes(
        (
            _LEFT / WIDTH,
            (_BOTTOM + rows * _LEGEND_ROW) / height,
            _PLOT_WIDTH / WIDTH,
            _PLOT_HEIGHT / height,
        ),
        facecolor="none",
    )
    handles = _lines(axes, name, series, families)
    log = _scale(axes, series, limits)
    _frame(axes)
    _time(axes, scene)
    _quantiles(axes, scene)
    for limit in limits:
        draw_limit(axes, limit)
    y_label = printable(series.y_label, 60) + (", logarithmic" if log else "")
    drawing.text(0.008, 1 - 15 / height, title, fontsize=_TITLE, weight="bold", color=palette.INK.light)
    drawing.text(0.008, 1 - 33 / height, y_label, fontsize=_SMALL, color=palette.MUTED.light)
    axes.set_xlabel(printable(series.x_label, 60), fontsize=_SMALL, color=palette.MUTED.light, labelpad=4)
    if rows:
        drawing.legend(
            handles,
            list(families),
            loc="lower center",
            bbox_to_anchor=(0.5, -2 / height),
            ncols=min(len(families), _LEGEND_COLUMNS),
            frameon=False,
            fontsize=_TEXT,
            labelcolor=palette.INK.light,
            handlelength=1.6,
            columnspacing=1.4,
            borderaxespad=0.2,
        )
    return drawing


def _lines(axes: "Axes", name: str, series: Series, families: dict[str, list[str]]) -> "list[Line2D]":
    """Draw every line; the first of each family stands for it in the legend."""
    handles = []
    used: set[palette.Colour] = set()
    for index, members in enumerate(families.values()):
        colour = palette.colour(name, members[0], index)
        # Two things of one kind in one figure: the second is dashed.
        style: Any = (0, (4, 1.5)) if colour in used else "solid"
        used.add(colour)
        for member in members:
            values = [
                math.nan if value is None or not math.isfinite(value) else value for value in series.lines[member]
            ]
            # A line needs two neighbours; a second that stands alone is a dot.
            gaps = [True, *(math.isnan(value) for value in values), True]
            alone = [at for at in range(len(values)) if gaps[at] and not gaps[at + 1] and gaps[at + 2]]
            (line,) = axes.plot(
                series.x,
                values,
                color=colour.light,
                linestyle=style,
                linewidth=1.8 if len(members) == 1 else 1.1,
                marker="o" if alone else "",
                markevery=alone or None,
                markersize=4,
                solid_capstyle="round",
                solid_joinstyle="round",
                zorder=3,
                gid=moves_with(member),
            )
            if member == members[0]:
                handles.append(line)
    return handles


def _scale(axes: "Axes", series: Series, limits: tuple[Limit, ...]) -> bool:
    """Linear from zero; logarithmic (returns True) where a peak would make the other values too small to read."""
    seen = sorted(v for line in series.lines.values() for v in line if v is not None and math.isfinite(v))
    top = max([seen[-1], *(limit.at for limit in limits)])
    middle = seen[len(seen) // 2]
    limited = max((limit.at for limit in limits), default=math.inf)
    peaked = bool(time_unit(series.y_label)) and (seen[-1] > 4 * limited or seen[-1] > 15 * middle)
    if peaked and seen[0] > 0:
        axes.set_yscale("log")
        axes.set_ylim(seen[0] / 1.5, top * 1.8)
        axes.yaxis.set_minor_formatter(lambda value, position: "")
        axes.yaxis.set_major_formatter(_digits)
        return True
    axes.set_ylim(min(0.0, seen[0] * 1.12), top * 1.12 if top > 0 else 1.0)
    axes.yaxis.set_major_formatter(_digits)
    axes.locator_params(axis="y", nbins=5)
    return False


def _frame(axes: "Axes") -> None:
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(palette.MUTED.light)
    axes.grid(axis="y", color=palette.GRID.light, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(which="both", length=0, labelsize=_TEXT, labelcolor=palette.MUTED.light, pad=5)
    axes.tick_params(axis="x", which="major", length=3, color=palette.MUTED.light)


def _time(axes: "Axes", scene: Scene) -> None:
    """The common time axis: warm-up and outages are shaded, moments are marked."""
    if not scene.timed or scene.span is None:
        return
    begin, end = scene.span
    axes.set_xlim(begin, end)
    axes.locator_params(axis="x", nbins=7)
    axes.xaxis.set_major_formatter(_digits)
    if begin < 0:
        axes.axvspan(begin, min(0.0, end), color=palette.SHADE.light, linewidth=0, zorder=0, gid=MOVES)
        _word(axes, begin, Label(at=0, words=_WARM_UP, left=False, row=0), palette.MUTED)
    for shade in scene.shades:
        first, last = max(begin, shade.begin_s), end if shade.end_s is None else min(end, shade.end_s)
        if first < last:
            axes.axvspan(first, last, color=palette.OUTAGE.light, linewidth=0, zorder=0, gid=MOVES)
    for mark, label in zip(scene.shown, scene.labels(), strict=True):
        colour = palette.LIMIT if mark.harm else palette.MUTED
        top = 1 + (label.row * _WORD_ROW / _PLOT_HEIGHT if label is not None else 0)
        dashes = (0, (1, 2))
        line = axes.axvline(
            mark.at_s, ymax=top, color=colour.light, linewidth=1, linestyle=dashes, zorder=2, clip_on=False
        )
        line.set_gid(pinned(mark.at_s))
        if label is not None:
            _word(axes, mark.at_s, label, colour)


def _word(axes: "Axes", at_s: float, label: Label, colour: palette.Colour) -> None:
    """A word at the top of the plot, beside the line of its moment."""
    axes.annotate(
        label.words,
        (at_s, 1),
        xycoords=("data", "axes fraction"),
        xytext=(-4 if label.left else 4, 2 + label.row * _WORD_ROW),
        textcoords="offset points",
        fontsize=_SMALL,
        color=colour.light,
        ha="right" if label.left else "left",
        va="bottom",
        gid=pinned(at_s),
    )


def _quantiles(axes: "Axes", scene: Scene) -> None:
    """x is −log10(1 − q): each step to the right is a tail ten times as rare."""
    if not scene.quantiles:
        return
    top = axes.get_xlim()[1]
    ticks = [(-math.log10(0.5), "50 %"), (1.0, "90 %")]
    ticks += [(float(nines), f"99.{'9' * (nines - 2)} %".replace("99. %", "99 %")) for nines in range(2, 7)]
    shown = [tick for tick in ticks if tick[0] <= 0.97 * top]  # a word at the very end would leave the figure
    axes.set_xlim(0, top)
    axes.set_xticks([at for at, _ in shown], [words for _, words in shown])
    axes.grid(axis="x", color=palette.GRID.light, linewidth=0.8)


def draw_limit(axes: "Axes", limit: Limit, *, side: Literal["left", "right"] = "right") -> None:
    """A dashed line with its words at one end of it."""
    axes.axhline(limit.at, color=palette.LIMIT.light, linewidth=1.2, linestyle=(0, (5, 3)), zorder=2)
    axes.annotate(
        limit.words,
        (0 if side == "left" else 1, limit.at),
        xycoords=("axes fraction", "data"),
        xytext=(0, 3),
        textcoords="offset points",
        fontsize=_SMALL,
        color=palette.LIMIT.light,
        ha=side,
        va="bottom",
    )


def _digits(value: float, position: float | None = None) -> str:
    """A tick: as short as its value allows."""
    for power, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= power:
            scale = 1e3 if letter == "k" else power
            return figure(value / scale) + SPACE + letter
    return figure(int(value)) if value == int(value) else figure(value)
