"""Two groups of runs → Comparison: comparable or not, safety first, then every measure."""

from collections.abc import Mapping, Sequence

from harness.comparison.judgement import Judged, compare_measure, decide
from harness.comparison.spread import spread_of
from harness.model.comparison import (
    Change,
    Comparison,
    Difference,
    LeftOut,
    MeasureComparison,
    SafetyRegression,
)
from harness.model.history import HistoryEntry
from harness.model.measure import MEASURES, Measure
from harness.model.status import Status

LEFT_OUT_SHARE_MAX = 0.25
"""If a larger share of one side cannot be used, the rest is a selection and not a sample."""

Group = tuple[HistoryEntry, ...]


def compare(
    base: Sequence[HistoryEntry],
    run: Sequence[HistoryEntry],
    history: Sequence[HistoryEntry],
    *,
    base_name: str,
    run_name: str,
    margins_percent: Mapping[str, float],
    only: Sequence[str] = (),
    across: bool = False,
    doubtful: bool = False,
    interleaved: bool = False,
) -> Comparison:
    """``margins_percent``: by measure's name. ``only``: these measures, or all. ``history`` gives the spread between
    runs, without the runs of RUN, which are in question. ``doubtful``: also use runs in which something may have made
    figures worse."""
    base_points, run_points = _points(base), _points(run)
    differences, noted = differences_of(base, run)
    same_plan = not _plan_differences(base_points, run_points)
    left_out = (*_left_out("BASE", base, doubtful or across), *_left_out("RUN", run, doubtful or across))
    measures: tuple[MeasureComparison, ...] = ()
    gaps: list[str] = []
    if across or not differences:
        mine = {entry.run for entry in run}
        known = [entry for entry in history if entry.run not in mine]
        chosen = [measure for measure in MEASURES if not only or measure.name in only]
        judged: list[Judged] = []
        for point in [point for point in base_points if point in run_points]:
            sides = [_usable(base_points[point], across, doubtful), _usable(run_points[point], across, doubtful)]
            gaps += _too_few(point, (base_points[point], run_points[point]), sides)
            earlier = [entry for entry in known if entry.usable_if(doubtful)]
            judged += _judge_point(point, sides, earlier, chosen, margins_percent, interleaved)
        measures = decide(judged)
    return Comparison(
        base_name=base_name,
        run_name=run_name,
        base=tuple(base),
        run=tuple(run),
        differences=differences,
        noted=noted,
        safety=_safety(base_points, run_points) if same_plan else (),
        measures=measures,
        left_out=left_out,
        gaps=tuple(gaps),
        margins_percent=dict(margins_percent),
        across=across,
    )


def differences_of(
    base: Sequence[HistoryEntry], run: Sequence[HistoryEntry]
) -> tuple[tuple[Difference, ...], tuple[Difference, ...]]:
    """(what differs in plan or machine and forbids a verdict, what differs and may)."""
    forbidding = (*_plan_differences(_points(base), _points(run)), *_machine_differences(base, run))
    return forbidding, _noted(base, run)


def _points(entries: Sequence[HistoryEntry]) -> dict[str, Group]:
    """Runs of one place belong together: all plain runs, all repetitions of a point of a sweep."""
    found: dict[str, list[HistoryEntry]] = {}
    for entry in entries:
        named = entry.point or (entry.kind if entry.kind in ("sweep", "matrix", "capacity") else "")
        found.setdefault(named, []).append(entry)
    return {point: tuple(group) for point, group in found.items()}


def _plan_differences(base: Mapping[str, Group], run: Mapping[str, Group]) -> tuple[Difference, ...]:
    """Each field of the plans that differs between the sides, or within one side."""
    found = []
    for point in dict.fromkeys((*base, *run)):
        where = f"{point}: " if point else ""
        if point not in base or point not in run:
            words = ("there", "not there")
            found.append(
                Difference(what=f"{where or 'plain '}runs", base=words[point not in base], run=words[point not in run])
            )
            continue
        plans = [[entry.plan for entry in side[point]] for side in (base, run)]
        found += _differing(where, plans)
    return tuple(found)


def _machine_differences(base: Sequence[HistoryEntry], run: Sequence[HistoryEntry]) -> tuple[Difference, ...]:
    return tuple(_differing("machine: ", [[entry.machine for entry in side] for side in (base, run)]))


def _noted(base: Sequence[HistoryEntry], run: Sequence[HistoryEntry]) -> tuple[Difference, ...]:
    noted = _differing("", [[{**entry.noted, "revision": entry.revision} for entry in side] for side in (base, run)])
    return tuple(noted)


def _differing(where: str, sides: Sequence[Sequence[Mapping[str, str]]]) -> list[Difference]:
    """The names that do not have one same value in all runs of both sides."""
    found = []
    names = dict.fromkeys(name for side in sides for parts in side for name in parts)
    for name in names:
        values = [list(dict.fromkeys(parts.get(name, "") for parts in side)) for side in sides]
        if values[0] != values[1] or len(values[0]) > 1:
            shown = [", ".join(value or "none" for value in side[:6]) for side in values]
            found.append(Difference(what=f"{where}{name}", base=shown[0], run=shown[1]))
    return found


def _safety(base: Mapping[str, Group], run: Mapping[str, Group]) -> tuple[SafetyRegression, ...]:
    """Every safety check that passed in all runs of BASE and is not PASS in a run of RUN. A check that is missing in
    the run does not count: the same plan asks the same checks."""
    found = []
    for point, group in base.items():
        passed = {
            check
            for entry in group
            for check, status in entry.safety.items()
            if status is Status.PASS and all(other.safety.get(check) in (None, Status.PASS) for other in group)
        }
        for entry in run.get(point, ()):
            found += [
                SafetyRegression(point=point, check=check, status=status, run=entry.run)
                for check, status in entry.safety.items()
                if status is not Status.PASS and check in passed
            ]
    return tuple(found)


def _left_out(side: str, entries: Sequence[HistoryEntry], doubtful: bool) -> list[LeftOut]:
    return [
        LeftOut(
            side=side,
            run=entry.run,
            because=", ".join(entry.doubts) or "the run did not reach its end",
            used=entry.usable_if(doubtful),
        )
        for entry in entries
        if not entry.usable
    ]


def _usable(group: Group, across: bool, doubtful: bool) -> Group:
    return tuple(entry for entry in group if across or entry.usable_if(doubtful))


def _too_few(point: str, whole: tuple[Group, Group], sides: Sequence[Group]) -> list[str]:
    where = f"{point}: " if point else ""
    return [
        f"{where}{len(every) - len(used)} of {len(every)} runs of {side} are not used: more than a quarter"
        for side, every, used in zip(("BASE", "RUN"), whole, sides, strict=True)
        if len(every) - len(used) > LEFT_OUT_SHARE_MAX * len(every)
    ]


def _judge_point(
    point: str,
    sides: Sequence[Group],
    history: Sequence[HistoryEntry],
    chosen: Sequence[Measure],
    margins_percent: Mapping[str, float],
    interleaved: bool,
) -> list[Judged]:
    if not all(sides):
        return []
    first = sides[0][0]
    same = [entry for entry in history if (entry.plan_key, entry.machine_key) == (first.plan_key, first.machine_key)]
    found = []
    for measure in chosen:
        values = [[e.measures[measure.name] for e in side if measure.name in e.measures] for side in sides]
        if not any(values):
            continue
        margin = margins_percent[measure.name]
        if not all(values):
            found.append(_one_sided(point, measure, values, margin))
            continue
        found.append(
            compare_measure(
                measure,
                values[0],
                values[1],
                point=point,
                margin_percent=margin,
                spread=spread_of(measure, same),
                interleaved=interleaved,
            )
        )
    return found


def _one_sided(point: str, measure: Measure, values: Sequence[Sequence[object]], margin: float) -> Judged:
    missing = "BASE" if not values[0] else "RUN"
    return Judged(
        comparison=MeasureComparison(
            point=point,
            measure=measure.name,
            base=None,
            run=None,
            base_runs=len(values[0]),
            runs=len(values[1]),
            margin_percent=margin,
            change=Change.UNDECIDED,
            because=f"no run of {missing} gives it",
        )
    )
