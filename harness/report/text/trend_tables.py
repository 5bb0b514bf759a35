"""A trend in tables and in lines for a terminal."""

from collections.abc import Iterator, Sequence
from urllib.parse import quote

from harness.model.measure import MEASURES
from harness.model.trend import ChangePoint, Line, Trend, TrendSeries
from harness.report.text.measure_words import measure_title, measure_value, signed_percent
from harness.report.text.quantities import SPACE, count
from harness.report.text.table import Cell, Table, figures, text

_BARS = "▁▂▃▄▅▆▇█"
_SPARK_MAX = 60
_RUNS_MAX = 100
_SHAPE = (("servers", "servers"), ("clients", "clients"), ("rate_hz", "messages/s"))


def sparkline(values: Sequence[float | None]) -> str:
    """One character for each value, from the smallest to the largest; a dot if there is none. The newest
    `_SPARK_MAX`."""
    shown = values[-_SPARK_MAX:]
    known = [value for value in shown if value is not None]
    if not known:
        return "·" * len(shown)
    low, span = min(known), max(known) - min(known)
    return "".join("·" if value is None else _bar((value - low) / span if span else 0.0) for value in shown)


def _bar(share: float) -> str:
    return _BARS[min(len(_BARS) - 1, int(share * len(_BARS)))]


def trend_lines(trend: Trend) -> Iterator[str]:
    """Every series: its measures as sparklines, then what changed."""
    if trend.damaged:
        yield f"{trend.damaged} lines of the history cannot be read; `harness trend --rebuild` writes it again"
    if not trend.series:
        yield "The history has no run yet: `harness run` adds one, `harness trend --rebuild` reads all recordings."
    for series in trend.series:
        yield series_heading(series)
        yield f"  {'verdicts':<46} {verdict_strip(series)}"
        for line in series.lines:
            known = [value for value in line.values if value is not None]
            newest = measure_value(line.measure, known[-1])
            yield f"  {measure_title(line.measure):<46} {sparkline(line.values)}  {newest}"
        for index in series.machine_changes:
            yield f"  another machine from {series.entries[index].run} on: figures before and after are not compared"
        for point in series.change_points:
            yield f"  {point_words(series, point)}"
        if not series.change_points:
            yield "  no change of level was found"
        yield ""


def series_heading(series: TrendSeries) -> str:
    plan = series.plan
    shape = ", ".join(f"{plan.get(part, '?')} {unit}" for part, unit in _SHAPE)
    unused = f", {series.unused} not used" if series.unused else ""
    runs = f"{len(series.entries)} runs{unused}"
    return f"{series.title} ({shape}; {plan.get('backplane', '?')}; plan {series.plan_key}): {runs}"


def verdict_strip(series: TrendSeries) -> str:
    """One letter for each run: P, F, U; a small letter if its figures are not used."""
    letters = []
    for entry in series.entries[-_SPARK_MAX:]:
        letter = str(entry.verdict)[0]
        letters.append(letter.upper() if entry.usable else letter)
    return "".join(letters)


def point_words(series: TrendSeries, point: ChangePoint) -> str:
    """A change: the measure, its size, the confidence, and the first run after it."""
    direction = "WORSE" if point.alarms else "worse" if point.worse else "better"
    since = len(series.entries) - point.first
    revision = f", revision {point.revision[:12]}" if point.revision else ""
    remarks = [
        f"; {remark}" for remark in (margin_words(point), point.accepted and f"accepted: {point.accepted}") if remark
    ]
    return (
        f"{direction}: {measure_title(point.measure)} {signed_percent(point.percent)}, from "
        f"{measure_value(point.measure, point.before)} to {measure_value(point.measure, point.after)}, "
        f"confidence {confidence(point)}; first run after it {point.run}{revision}, {since} runs ago{''.join(remarks)}"
    ).replace(SPACE, " ")


def margin_words(point: ChangePoint) -> str:
    """Why a change gives no alarm, or why one that is smaller than its margin does; empty if neither needs a word."""
    if point.within_margin:
        return f"within the margin of {point.margin_percent:g}{SPACE}%"
    if abs(point.percent) <= point.margin_percent:
        return (
            f"{signed_percent(point.total_percent)} with the steps before it, margin {point.margin_percent:g}{SPACE}%"
        )
    return ""


def confidence(point: ChangePoint) -> str:
    """Never 100 %: there is always a chance."""
    return ">99.99 %" if point.p_value < 1e-4 else f"{point.confidence_percent:.2f} %"


def change_table(series: TrendSeries, links: Sequence[str]) -> Table | None:
    """``links``: the address of each run's report, empty if there is none."""
    if not series.change_points:
        return None
    rows = []
    for point in series.change_points:
        status = "fail" if point.alarms else "unknown" if point.worse else "pass"
        word = "better" if not point.worse else "accepted" if point.accepted else "worse"
        notes = (
            point.began[:10],
            f"revision {point.revision[:12]}" if point.revision else "",
            margin_words(point),
            point.accepted,
        )
        rows.append(
            (
                text(measure_title(point.measure)),
                Cell(text=word, status=status),
                figures(measure_value(point.measure, point.before)),
                figures(measure_value(point.measure, point.after)),
                figures(signed_percent(point.percent)),
                figures(confidence(point)),
                Cell(text=point.run, link=links[point.first], lines=notes),
            )
        )
    columns = ("Measure", "Result", "Before", "After", "Change", "Confidence", "First run after it")
    return Table(caption="Changes of level", columns=columns, rows=tuple(rows), prose=True)


def run_table(series: TrendSeries, links: Sequence[str]) -> Table:
    """The newest runs first."""
    first = [line for line in series.lines if MEASURES.get(line.measure).name in _SHOWN]
    rows = []
    for index in list(reversed(range(len(series.entries))))[:_RUNS_MAX]:
        entry = series.entries[index]
        doubts = ("not used: " + ", ".join(entry.doubts or ("did not end",)),) if not entry.usable else ()
        labels = tuple(f"{name}: {value}" for name, value in entry.labels.items())
        revision = (f"revision {entry.revision[:12]}",) if entry.revision else ()
        rows.append(
            (
                Cell(text=entry.run, link=links[index], lines=(*revision, *labels, *doubts)),
                Cell(text=str(entry.verdict).upper(), status=str(entry.verdict)),
                *(figures(_value(line, index, series)) for line in first),
            )
        )
    rest = len(series.entries) - len(rows)
    caption = f"Runs, the newest first{f'; {count(rest)} older are not shown' if rest else ''}"
    columns = ("Run", "Verdict", *(measure_title(line.measure) for line in first))
    return Table(caption=caption, columns=columns, rows=tuple(rows))


_SHOWN = (
    "servers_to_generator_cpu_ratio",
    "servers_cpu_us_per_delivery",
    "broker_cpu_us_per_delivery",
    "database_cpu_us_per_delivery",
    "delivery_p50_ms",
    "delivery_p99_ms",
    "capacity",
)


def _value(line: Line, index: int, series: TrendSeries) -> str:
    measured = series.entries[index].measures.get(line.measure)
    return measure_value(line.measure, None if measured is None else measured.value)


def link_of(run: str, exists: bool) -> str:
    return quote(f"{run}/report.html") if exists else ""
