"""One series on one pair of axes, in matplotlib. Lengths are in points; a figure is `WIDTH` wide wherever it is shown."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.model.finding import Series
from harness.report import palette
from harness.report.quantities import SPACE, figure
from harness.report.timeline import Mark

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

WIDTH, _PLOT_HEIGHT = 480.0, 176.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 50.0, 12.0, 58.0, 42.0
_LEGEND_ROW, _LEGEND_COLUMNS = 18.0, 4
_SMALL, _TEXT, _TITLE = 11.0, 12.0, 14.0
_BYTE_UNITS = ("bytes", "KiB", "MiB", "GiB")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    at: float
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What a series is drawn before: a time axis from ``span[0]`` to ``span[1]`` with its marks, or quantiles."""

    span: tuple[float, float] | None = None
    marks: tuple[Mark, ...] = ()
    quantiles: bool = False


def plot(name: str, title: str, series: Series, scene: Scene, limits: tuple[Limit, ...]) -> "Figure":
    """The figure of ``series``, which has at least one finite value and lines as long as ``x``."""
    from matplotlib.figure import Figure

    series = scaled(series)
    families = families_of(series)
    rows = math.ceil(len(families) / _LEGEND_COLUMNS) if len(families) > 1 else 0
    height = _TOP + _PLOT_HEIGHT + _BOTTOM + rows * _LEGEND_ROW
    drawing = Figure(figsize=(WIDTH / 72, height / 72), dpi=72, facecolor="none")
    axes = drawing.add_axes(
        (
            _LEFT / WIDTH,
            (_BOTTOM + rows * _LEGEND_ROW) / height,
            (WIDTH - _LEFT - _RIGHT) / WIDTH,
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
        _limit(axes, limit)
    unit = printable(series.y_label, 60) + (", logarithmic" if log else "")
    drawing.text(0.008, 1 - 15 / height, title, fontsize=_TITLE, weight="bold", color=palette.INK.light)
    drawing.text(0.008, 1 - 33 / height, unit, fontsize=_SMALL, color=palette.MUTED.light)
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


def scaled(series: Series) -> Series:
    """Bytes in the unit that suits the largest of them; anything else as it is."""
    if "bytes" not in series.y_label:
        return series
    top = max(
        (abs(value) for line in series.lines.values() for value in line if value is not None and math.isfinite(value)),
        default=0.0,
    )
    power = min(len(_BYTE_UNITS) - 1, int(math.log(top, 1024)) if top >= 1 else 0)
    lines = {
        name: tuple(None if value is None else value / 1024**power for value in line)
        for name, line in series.lines.items()
    }
    y_label = series.y_label.replace("bytes", _BYTE_UNITS[power])
    return Series(x_label=series.x_label, y_label=y_label, x=series.x, lines=lines)


def families_of(series: Series) -> dict[str, list[str]]:
    """Legend entry → its lines: ``server-1`` … ``server-16`` share one entry."""
    families: dict[str, list[str]] = {}
    for name in series.lines:
        families.setdefault(name.rstrip("0123456789").rstrip("- ") if name[-1:].isdigit() else name, []).append(name)
    entries: dict[str, list[str]] = {}
    for stem, members in families.items():
        # P50 and P95 end in digits too, but are three things rather than one thing three times.
        if len(members) > 1 and len(stem) > 1:
            entries[f"{printable(stem)} × {len(members)}"] = members
        else:
            entries.update({printable(member): [member] for member in members})
    return entries


def printable(name: str, length_max: int = 28) -> str:
    """The name without what the font does not hold, cut to ``length_max`` characters."""
    plain = "".join(letter if " " <= letter <= "ÿ" and letter.isprintable() else "?" for letter in name)
    return plain if len(plain) <= length_max else plain[: length_max - 1] + "…"


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
            lone = sum(not math.isnan(value) for value in values) < 2
            (line,) = axes.plot(
                series.x,
                values,
                color=colour.light,
                linestyle=style,
                linewidth=1.8 if len(members) == 1 else 1.1,
                marker="o" if lone else "",
                markersize=4,
                solid_capstyle="round",
                solid_joinstyle="round",
                zorder=3,
            )
            if member == members[0]:
                handles.append(line)
    return handles


def _scale(axes: "Axes", series: Series, limits: tuple[Limit, ...]) -> bool:
    """Linear from zero, or logarithmic (returns True) where a peak would press all the rest flat."""
    seen = sorted(v for line in series.lines.values() for v in line if v is not None and math.isfinite(v))
    top = max([seen[-1], *(limit.at for limit in limits)])
    middle = seen[len(seen) // 2]
    limited = max((limit.at for limit in limits), default=math.inf)
    peaked = series.y_label == "ms" and (seen[-1] > 4 * limited or seen[-1] > 15 * middle)
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
    """The common time axis: the warm-up shaded, moments marked."""
    if scene.quantiles or scene.span is None:
        return
    begin, end = scene.span
    axes.set_xlim(begin, end)
    axes.locator_params(axis="x", nbins=7)
    axes.xaxis.set_major_formatter(_digits)
    if begin < 0:
        axes.axvspan(begin, min(0.0, end), color=palette.SHADE.light, linewidth=0, zorder=0)
        _word(axes, begin, "warm-up", palette.MUTED)
    for mark in scene.marks:
        if begin <= mark.at_s <= end:
            colour = palette.LIMIT if mark.grave else palette.MUTED
            axes.axvline(mark.at_s, color=colour.light, linewidth=1, linestyle=(0, (1, 2)), zorder=2)
            _word(axes, mark.at_s, printable(mark.words), colour, left=mark.at_s < begin + 0.75 * (end - begin))


def _word(axes: "Axes", at_s: float, words: str, colour: palette.Colour, *, left: bool = True) -> None:
    """A word at the top of the plot, beside the moment it names."""
    axes.annotate(
        words,
        (at_s, 1),
        xycoords=("data", "axes fraction"),
        xytext=(4 if left else -4, 2),
        textcoords="offset points",
        fontsize=_SMALL,
        color=colour.light,
        ha="left" if left else "right",
        va="bottom",
    )


def _quantiles(axes: "Axes", scene: Scene) -> None:
    """x is −log10(1 − q): each step to the right is a tail ten times as rare."""
    if not scene.quantiles:
        return
    top = axes.get_xlim()[1]
    ticks = [(-math.log10(0.5), "50 %"), (1.0, "90 %")]
    ticks += [(float(nines), f"99.{'9' * (nines - 2)} %".replace("99. %", "99 %")) for nines in range(2, 7)]
    shown = [tick for tick in ticks if tick[0] <= top]
    axes.set_xlim(0, top)
    axes.set_xticks([at for at, _ in shown], [words for _, words in shown])
    axes.grid(axis="x", color=palette.GRID.light, linewidth=0.8)


def _limit(axes: "Axes", limit: Limit) -> None:
    axes.axhline(limit.at, color=palette.LIMIT.light, linewidth=1.2, linestyle=(0, (5, 3)), zorder=2)
    axes.annotate(
        limit.words,
        (1, limit.at),
        xycoords=("axes fraction", "data"),
        xytext=(0, 3),
        textcoords="offset points",
        fontsize=_SMALL,
        color=palette.LIMIT.light,
        ha="right",
        va="bottom",
    )


def _digits(value: float, position: float | None = None) -> str:
    """A tick: as short as its value allows."""
    for power, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= power:
            scale = 1e3 if letter == "k" else power
            return figure(value / scale) + SPACE + letter
    return figure(int(value)) if value == int(value) else figure(value)
