"""A verdict's series as figures, all with the same axes rectangle, time plots with the same time axis."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from harness.model.component import Role
from harness.model.expectation import Measure
from harness.model.finding import Series, Verdict
from harness.model.plan import Plan
from harness.report.plots.curves import families_of, printable, scaled
from harness.report.plots.drawing import Drawing, draw, own_settings
from harness.report.plots.plotting import Limit, Scene, plot
from harness.report.plots.time_axis import Events, marks, shades
from harness.report.text.component_titles import broker_title, database_title
from harness.report.text.file_name import plain_name
from harness.report.text.outage import has_outage, recovery
from harness.report.text.quantities import figure, heading, label, listed
from harness.report.text.reason import limit_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A series before it is drawn: its title, and the section of the report that it belongs to. The title
    of the product with ``role`` stands before the title."""

    title: str
    group: str
    role: Role | None = None

    def titled(self, plan: Plan) -> str:
        if self.role is None:
            return self.title
        product = broker_title(plan) if self.role is Role.BROKER else database_title()
        return f"{product[:1].upper()}{product[1:]}: {self.title}"


SUBJECTS = {
    "latency": Subject(title="Delivery latency over time", group="latency"),
    "completion": Subject(title="Completion latency over time", group="latency"),
    "rate": Subject(title="Rate over time", group="latency"),
    "percentiles": Subject(title="Distribution of latency", group="distribution"),
    "lag": Subject(title="Lateness of the load generator", group="validity"),
    "cpu": Subject(title="CPU", group="resources"),
    "memory": Subject(title="Memory", group="resources"),
    "broker_traffic": Subject(title="traffic", group="resources", role=Role.BROKER),
    "broker_commands": Subject(title="commands", group="resources", role=Role.BROKER),
    "database_commits": Subject(title="commits", group="resources", role=Role.DATABASE),
    "database_wal": Subject(title="write-ahead log", group="resources", role=Role.DATABASE),
}
OUTAGE_SUBJECTS = {
    "live_latency": Subject(title="Live delivery latency over time", group="outage"),
    "recovered_latency": Subject(title="Recovered delivery latency over time", group="outage"),
    "acknowledgement": Subject(title="Acknowledgement latency over time", group="outage"),
}
"""The figures that only a run with a fault is expected to have."""
SERVER_SUBJECTS = {
    "server_latency": Subject(title="P99 delivery latency of each server", group="servers"),
    "server_cpu": Subject(title="CPU of each server", group="servers"),
    "server_memory": Subject(title="Memory of each server", group="servers"),
}
"""The figures that only a run with several servers is expected to have."""
RARE_SUBJECTS = {"exposure": Subject(title="Exposure: messages delivered and not stored", group="durability")}
"""The figures that every run may lack: they are drawn only if there is a problem."""
_MEASURES: dict[str, Measure] = {
    "latency": "latency_ms",
    "completion": "completion_ms",
    "live_latency": "live_latency_ms",
}
_SERIES_MAX = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawings:
    """``missing`` names each figure that was not drawn, with the reason."""

    drawn: tuple[Drawing, ...]
    missing: tuple[tuple[str, str], ...]

    def group(self, name: str) -> tuple[Drawing, ...]:
        return tuple(drawing for drawing in self.drawn if drawing.group == name)


def drawings(verdict: Verdict, events: Events) -> Drawings:
    """Every series of ``verdict`` as a figure; those that are absent, empty or malformed are named with the reason."""
    usable: dict[str, Series] = {}
    missing: list[tuple[str, str]] = []
    outage = has_outage(verdict)
    expected = [
        *SUBJECTS,
        *(SERVER_SUBJECTS if verdict.plan.servers > 1 else ()),
        *(OUTAGE_SUBJECTS if outage else ()),
    ]
    for name in [*expected, *(name for name in verdict.series if name not in expected)][:_SERIES_MAX]:
        series = verdict.series.get(name)
        if reason := _unusable(series):
            missing.append((_subject(name, outage).titled(verdict.plan), reason))
        elif series is not None:
            usable |= _split_rate(series) if name == "rate" else {name: series}
    if not usable:
        return Drawings(drawn=(), missing=tuple(missing))

    scene = _scene(verdict, events, [series for name, series in usable.items() if name != "percentiles"])
    with own_settings():
        drawn = tuple(_draw(verdict, name, series, scene, index) for index, (name, series) in enumerate(usable.items()))
    return Drawings(drawn=drawn, missing=tuple(missing))


def _scene(verdict: Verdict, events: Events, series: Iterable[Series]) -> Scene:
    """The axis that all time plots share, with the moments and outages of the run."""
    measured = recovery(verdict)
    moments = marks(events, verdict.plan.warm_up_s, measured)
    later = [mark.at_s for mark in moments if mark.extends_axis]
    return Scene(span=_span(series, later), marks=moments, shades=shades(measured))


def _split_rate(series: Series) -> dict[str, Series]:
    """A figure for each line, because messages and deliveries differ too much in size to share an axis."""
    split = {f"rate_{name}": replace(series, lines={name: line}) for name, line in series.lines.items()}
    return {name: line for name, line in split.items() if not _unusable(line)}


def _draw(verdict: Verdict, name: str, series: Series, scene: Scene, index: int) -> Drawing:
    limits: tuple[Limit, ...] = ()
    if name in _MEASURES:
        limits = _limits(verdict.plan, _MEASURES[name])
    elif name == "percentiles":
        scene = replace(scene, quantiles=True)
        limits = _limits(verdict.plan, "latency_ms")
    subject = _subject(name, has_outage(verdict))
    title = subject.titled(verdict.plan)
    return draw(
        plot(name, title, series, scene, limits),
        name=plain_name(name, f"series-{index}"),
        title=title,
        group=subject.group,
        summary=summary(series),
        timed=scene.timed,
    )


def _limits(plan: Plan, measure: Measure) -> tuple[Limit, ...]:
    statistics = dict.fromkeys(wish.statistic for wish in plan.expectations if wish.measure == measure)
    return tuple(
        Limit(at=limit, words=f"limit {label(statistic)} {figure(limit)} ms")
        for statistic in statistics
        if (limit := limit_ms(plan, measure, statistic)) is not None
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


def _subject(name: str, outage: bool) -> Subject:
    """``outage``: the report has a section on an outage."""
    if name in OUTAGE_SUBJECTS:
        return OUTAGE_SUBJECTS[name] if outage else replace(OUTAGE_SUBJECTS[name], group="latency")
    if name.startswith("rate_"):
        return Subject(
            title=f"{printable(heading(name.removeprefix('rate_')))} over time",
            group="validity" if name == "rate_messages" else "latency",
        )
    known = SUBJECTS | SERVER_SUBJECTS | RARE_SUBJECTS
    return known.get(name) or Subject(title=printable(heading(name)), group="resources")


def _unusable(series: Series | None) -> str:
    """Why ``series`` cannot be drawn; empty if it can."""
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
    """The time that all time plots share: the time of the curves, and ``later`` as far as that at most doubles it."""
    ends = [end for one in series if one.x for end in (min(one.x), max(one.x))]
    if not ends or min(ends) == max(ends):
        return None
    begin, end = min(ends), max(ends)
    return begin, max([end, *(at for at in later if at <= end + (end - begin))])
