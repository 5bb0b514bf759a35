"""A verdict's series as figures, all with the same axes rectangle, time plots with the same time axis."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from harness.model.finding import Series, Verdict
from harness.report.plots.curves import families_of, printable, scaled
from harness.report.plots.drawing import SETTINGS, Drawing, draw
from harness.report.plots.plotting import Limit, Scene, plot
from harness.report.plots.time_axis import marks, measured_windows, windows
from harness.report.text.lookup import limit_ms, rows
from harness.report.text.outage import concerns, recovery
from harness.report.text.quantities import figure, heading, label, listed

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is known of a series before it is drawn: its title, and the part of the report that it belongs to."""

    title: str
    group: str


SUBJECTS = {
    "latency": Subject(title="Delivery latency over time", group="latency"),
    "completion": Subject(title="Completion latency over time", group="latency"),
    "rate": Subject(title="Rate over time", group="latency"),
    "percentiles": Subject(title="Distribution of latency", group="distribution"),
    "lag": Subject(title="Lateness of the load generator", group="instrument"),
    "cpu": Subject(title="CPU", group="resources"),
    "memory": Subject(title="Memory", group="resources"),
    "broker_traffic": Subject(title="Redis: traffic", group="resources"),
    "broker_commands": Subject(title="Redis: commands", group="resources"),
    "database_commits": Subject(title="PostgreSQL: commits", group="resources"),
    "database_wal": Subject(title="PostgreSQL: write-ahead log", group="resources"),
}
OUTAGE_SUBJECTS = {
    "live_latency": Subject(title="Live delivery latency over time", group="outage"),
    "recovered_latency": Subject(title="Recovered delivery latency over time", group="outage"),
    "acknowledgement": Subject(title="Acknowledgement latency over time", group="outage"),
}
"""What only a run with a fault is expected to have."""
_MEASURES = {"latency": "latency_ms", "completion": "completion_ms", "live_latency": "live_latency_ms"}
_SERIES_MAX = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawings:
    """``missing`` names each figure that there is not, with the reason."""

    drawn: tuple[Drawing, ...]
    missing: tuple[tuple[str, str], ...]

    def group(self, name: str) -> tuple[Drawing, ...]:
        return tuple(drawing for drawing in self.drawn if drawing.group == name)


def drawings(verdict: Verdict, events: Sequence[Mapping[str, Any]]) -> Drawings:
    """Every series of ``verdict`` as a figure; those that are absent, empty or malformed are named with the reason."""
    usable: dict[str, Series] = {}
    missing: list[tuple[str, str]] = []
    telling = concerns(verdict)
    expected = [*SUBJECTS, *(OUTAGE_SUBJECTS if telling else ())]
    for name in [*expected, *(name for name in verdict.series if name not in expected)][:_SERIES_MAX]:
        series = verdict.series.get(name)
        if reason := _unusable(series):
            missing.append((_subject(name, telling).title, reason))
        elif series is not None:
            usable |= _apart(series) if name == "rate" else {name: series}
    if not usable:
        return Drawings(drawn=(), missing=tuple(missing))

    import matplotlib as mpl

    scene = _scene(verdict, events, [series for name, series in usable.items() if name != "percentiles"])
    with mpl.rc_context(SETTINGS):
        drawn = tuple(
            draw(
                _figure(verdict, name, series, scene),
                name=_file_name(name, index),
                title=_subject(name, telling).title,
                group=_subject(name, telling).group,
                summary=summary(series),
            )
            for index, (name, series) in enumerate(usable.items())
        )
    return Drawings(drawn=drawn, missing=tuple(missing))


def _scene(verdict: Verdict, events: Sequence[Mapping[str, Any]], series: Iterable[Series]) -> Scene:
    """The axis that all time plots share, with what happened meanwhile."""
    warm_up_s = verdict.plan.warm_up_s
    broken, moments = windows(events, warm_up_s), marks(events, warm_up_s)
    if not broken:
        broken = measured_windows(rows(recovery(verdict), "faults"))
        moments += tuple(mark for window in broken for mark in window.marks)
    later = [mark.at_s for mark in moments if mark.lasting]
    return Scene(span=_span(series, later), marks=moments, windows=broken)


def _apart(series: Series) -> dict[str, Series]:
    """A figure for each line: messages and deliveries differ too much in size to share an axis."""
    apart = {f"rate_{name}": replace(series, lines={name: line}) for name, line in series.lines.items()}
    return {name: line for name, line in apart.items() if not _unusable(line)}


def _figure(verdict: Verdict, name: str, series: Series, scene: Scene) -> "Figure":
    limits: tuple[Limit, ...] = ()
    if name in _MEASURES:
        limits = _limits(verdict, _MEASURES[name])
    elif name == "percentiles":
        scene = replace(scene, quantiles=True)
        limits = _limits(verdict, "latency_ms")
    return plot(name, _subject(name, concerns(verdict)).title, series, scene, limits)


def _limits(verdict: Verdict, measure: str) -> tuple[Limit, ...]:
    statistics = dict.fromkeys(wish.statistic for wish in verdict.plan.expectations if wish.measure == measure)
    return tuple(
        Limit(at=limit, words=f"limit {label(statistic)} {figure(limit)} ms")
        for statistic in statistics
        if (limit := limit_ms(verdict, measure, statistic)) is not None
    )


def summary(series: Series) -> str:
    """What the curves show, in words: the range of each, or of each family of them."""
    series = scaled(series)
    ranges = []
    for family, members in families_of(series).items():
        seen = [value for name in members for value in series.lines[name] if value is not None and math.isfinite(value)]
        if seen:
            ranges.append(f"{family}: {figure(min(seen))} to {figure(max(seen))}")
    return listed(ranges) + (f" ({series.y_label})" if series.y_label else "")


def _subject(name: str, telling: bool) -> Subject:
    """``telling``: whether the report has a section on an outage."""
    if name in OUTAGE_SUBJECTS:
        return OUTAGE_SUBJECTS[name] if telling else replace(OUTAGE_SUBJECTS[name], group="latency")
    if name.startswith("rate_"):
        return Subject(
            title=f"{printable(heading(name.removeprefix('rate_')))} over time",
            group="instrument" if name == "rate_messages" else "latency",
        )
    return SUBJECTS.get(name) or Subject(title=printable(heading(name)), group="resources")


def _file_name(name: str, index: int) -> str:
    """A series' own name where that is a plain word, so that nothing in a recording can name a path."""
    return name if name.isascii() and name.replace("_", "").isalnum() and len(name) <= 40 else f"series-{index}"


def _unusable(series: Series | None) -> str:
    """Why ``series`` cannot be drawn; empty where it can."""
    if series is None:
        return "not in this recording"
    if not all(math.isfinite(at) for at in series.x):
        return "its axis holds something other than numbers, so it cannot be drawn"
    if any(len(values) != len(series.x) for values in series.lines.values()):
        return "its curves differ in length from their axis, so it cannot be drawn"
    if not any(value is not None and math.isfinite(value) for values in series.lines.values() for value in values):
        return "no value was recorded"
    return ""


def _span(series: Iterable[Series], later: Iterable[float]) -> tuple[float, float] | None:
    """The time that all time plots share: that of the curves, and what of ``later`` does not press them together."""
    ends = [end for one in series if one.x for end in (min(one.x), max(one.x))]
    if not ends or min(ends) == max(ends):
        return None
    begin, end = min(ends), max(ends)
    return begin, max([end, *(at for at in later if at <= end + (end - begin))])
