"""A trend as one HTML page, with links to the reports that still exist."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.model.errors import EnvironmentFailure
from harness.model.trend import Trend, TrendSeries
from harness.report.page.files import replace
from harness.report.page.templates import fill
from harness.report.plots.drawing import Drawing
from harness.report.plots.trend_figures import trend_drawings
from harness.report.text.table import Table, settings
from harness.report.text.trend_tables import change_table, link_of, run_table, series_heading

TREND_PAGE = "trend.html"
_SERIES_MAX = 20
"""the ones with the newest runs"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One series on the page."""

    anchor: str
    series: TrendSeries
    heading: str
    machine_notes: tuple[str, ...]
    drawings: tuple[Drawing, ...]
    changes: Table | None
    runs: Table
    plan: Table | None


def write_trend_page(results: Path, trend: Trend) -> Path:
    """Write trend.html into ``results``. Raises EnvironmentFailure if that cannot be written."""
    path = results / TREND_PAGE
    try:
        results.mkdir(parents=True, exist_ok=True)
        replace(path, trend_page(results, trend).encode(errors="replace"))
    except OSError as error:
        raise EnvironmentFailure(f"the page of the trend cannot be written: {error}") from error
    return path


def trend_page(results: Path, trend: Trend) -> str:
    """Every string in it is untrusted text."""
    sections = [_section(results, series, number) for number, series in enumerate(trend.series[:_SERIES_MAX])]
    return fill(
        "trend.html",
        trend=trend,
        sections=sections,
        runs=sum(len(series.entries) for series in trend.series),
        left_out=max(0, len(trend.series) - _SERIES_MAX),
        worse=sum(point.alarms for series in trend.series for point in series.change_points),
    )


def _section(results: Path, series: TrendSeries, number: int) -> Section:
    links: Sequence[str] = [_link(results, entry.run) for entry in series.entries]
    notes = []
    for index in series.machine_changes:
        before, after = series.entries[index - 1].machine, series.entries[index].machine
        differing = [
            f"{name} {before.get(name)} → {after.get(name)}" for name in after if before.get(name) != after[name]
        ]
        notes.append(f"Run {index + 1}, {series.entries[index].run}: {', '.join(differing)}")
    return Section(
        anchor=f"series-{number}",
        series=series,
        heading=series_heading(series),
        machine_notes=tuple(notes),
        drawings=trend_drawings(series, f"trend-{number}"),
        changes=change_table(series, links),
        runs=run_table(series, links),
        plan=settings("Common to all these runs", series.plan),
    )


def _link(results: Path, run: str) -> str:
    """Only below the results: a line of the history must not link to another place."""
    inside = not run.startswith(("/", "..")) and ".." not in Path(run).parts
    return link_of(run, inside and (results / run / "report.html").is_file())
