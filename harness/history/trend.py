"""History → Trend."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from harness.history.change_points import change_points
from harness.model.history import Acceptance, History, HistoryEntry
from harness.model.measure import MEASURES, USUAL_MARGINS, Measure
from harness.model.trend import ChangePoint, Line, Trend, TrendSeries


def trend_of(
    history: History,
    *,
    margins_percent: Mapping[str, float] = USUAL_MARGINS,
    scenario: str = "",
    with_doubtful: bool = False,
) -> Trend:
    """A series for each plan, of ``scenario`` or of all. ``margins_percent``: by measure, changes up to this do not
    matter. ``with_doubtful``: also use runs in which something may have made figures worse."""
    groups: dict[str, list[HistoryEntry]] = {}
    for entry in history.entries:
        if not scenario or entry.scenario == scenario:
            groups.setdefault(entry.plan_key, []).append(entry)
    series = [_series(entries, history.acceptances, margins_percent, with_doubtful) for entries in groups.values()]
    newest_first = sorted(series, key=lambda one: one.entries[-1].began, reverse=True)
    return Trend(series=tuple(newest_first), damaged=history.damaged)


def recent_worse(trend: Trend, runs: int) -> tuple[ChangePoint, ...]:
    """The changes for the worse beyond their margin that begin within the last ``runs`` runs of their series and were
    not accepted."""
    return tuple(
        point
        for series in trend.series
        for point in series.change_points
        if point.alarms and point.first >= len(series.entries) - runs
    )


def _series(
    entries: Sequence[HistoryEntry],
    acceptances: Iterable[Acceptance],
    margins_percent: Mapping[str, float],
    with_doubtful: bool,
) -> TrendSeries:
    used = [entry.usable_if(with_doubtful) for entry in entries]
    accepted = {acceptance.run: acceptance.reason for acceptance in acceptances}
    lines = [_line(measure, entries, used, accepted, margins_percent[measure.name]) for measure in MEASURES]
    last = entries[-1]
    changes = [
        index for index, (before, after) in enumerate(pairwise(entries), 1) if before.machine_key != after.machine_key
    ]
    return TrendSeries(
        plan_key=last.plan_key,
        title=" ".join(filter(None, (last.scenario, "" if last.kind in ("run", "member") else last.kind, last.point))),
        plan=last.plan,
        entries=tuple(entries),
        lines=tuple(line for line in lines if any(value is not None for value in line.values)),
        machine_changes=tuple(changes),
        unused=used.count(False),
    )


def _line(
    measure: Measure,
    entries: Sequence[HistoryEntry],
    used: Sequence[bool],
    accepted: Mapping[str, str],
    margin_percent: float,
) -> Line:
    values = [
        entry.measures[measure.name].value if use and measure.name in entry.measures else None
        for entry, use in zip(entries, used, strict=True)
    ]
    points: list[ChangePoint] = []
    for machine in dict.fromkeys(entry.machine_key for entry in entries):
        of_machine = [index for index, entry in enumerate(entries) if entry.machine_key == machine]
        known = [(index, value) for index in of_machine if (value := values[index]) is not None]
        # The last level that counts: the first one, then that after each change that was accepted or is beyond the margin.
        # So a slow creep is found when its steps add up.
        level: float | None = None
        for change in change_points([value for _, value in known]):
            level = change.before if level is None else level
            first = known[change.at][0]
            entry = entries[first]
            point = ChangePoint(
                measure=measure.name,
                first=first,
                run=entry.run,
                revision=entry.revision,
                began=entry.began,
                before=change.before,
                after=change.after,
                percent=change.percent,
                p_value=change.p_value,
                worse=(change.after > change.before) == measure.lower_is_better,
                total_percent=100 * (change.after / level - 1),
                margin_percent=margin_percent,
                accepted=_reason(entries, first, accepted),
            )
            points.append(point)
            if point.accepted or not point.within_margin:
                level = point.after
    ordered = sorted(points, key=lambda point: point.first)
    return Line(measure=measure.name, values=tuple(values), change_points=tuple(ordered))


def _reason(entries: Sequence[HistoryEntry], first: int, accepted: Mapping[str, str]) -> str:
    """The reason at the first run after a change, or at a run near it: the place of a change can move by a run or two
    when more runs come."""
    near = entries[max(0, first - 2) : first + 3]
    return next((accepted[entry.run] for entry in near if entry.run in accepted), "")
