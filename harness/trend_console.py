"""`harness trend` and `harness baseline`: read the history, show it, change it."""

import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from harness import console
from harness.comparison.margins import margins_of
from harness.exit_codes import ExitCode
from harness.history import baselines
from harness.history.export import otava_csv
from harness.history.folders import found_again, place
from harness.history.history_file import append_acceptance, now, read_history, rebuild
from harness.history.lookup import look_up
from harness.history.trend import recent_worse, trend_of
from harness.model.errors import EnvironmentFailure, UsageError
from harness.model.history import Acceptance
from harness.model.trend import Trend
from harness.report.text.trend_tables import series_heading, trend_lines


def show(
    results: Path,
    *,
    scenario: str,
    with_doubtful: bool,
    margins: Sequence[str],
    fail_on_change: int | None,
    export: Path | None,
    plan_key: str,
    as_json: bool,
) -> ExitCode:
    """`harness trend`: terminal, page, JSON, CSV. FAIL if a change for the worse is in the last runs. Raises UsageError
    for an unknown margin."""
    from harness.report.page.trend_page import write_trend_page

    margins_percent = margins_of(margins)
    trend = trend_of(
        read_history(results), margins_percent=margins_percent, scenario=scenario, with_doubtful=with_doubtful
    )
    if export is not None:
        _export(trend, export, plan_key)
    if as_json:
        console.print_json(msgspec.to_builtins(trend))
    else:
        for line in trend_lines(trend):
            print(line)
        if trend.series:
            print(f"page: {write_trend_page(results, trend)}")
    if fail_on_change is None:
        return ExitCode.PASS
    found = recent_worse(trend, fail_on_change)
    for point in found:
        print(
            f"harness: {point.measure} is worse since {point.run}: accept it with "
            f"`harness trend --accept {results / point.run} --reason …`, or repair it",
            file=sys.stderr,
        )
    return ExitCode.FAIL if found else ExitCode.PASS


def rebuild_history(results: Path) -> None:
    """`harness trend --rebuild`: read every recording below ``results`` again."""
    if not results.is_dir():
        raise UsageError(f"expected a folder of results, found none at {results}")
    history = rebuild(results, lambda before: found_again(results, {entry.run: entry for entry in before.entries}))
    print(f"history: {len(history.entries)} lines", file=sys.stderr)


def accept(results: Path, run: Path, reason: str) -> None:
    """`harness trend --accept`."""
    if not reason.strip():
        raise UsageError("--accept: expected --reason TEXT, found none: the trend shows the reason")
    known = {entry.run for entry in read_history(results).entries}
    name = place(run, results) if place(run, results) in known else str(run)
    if name not in known:
        raise UsageError(f"--accept: expected a run of the history in {results}, found {run}")
    append_acceptance(results, Acceptance(run=name, reason=reason.strip(), accepted=now()))


def set_baseline(results: Path, name: str, runs: Sequence[Path]) -> None:
    """`harness baseline set`. A run whose recording is gone is taken from the history."""
    entries = look_up(results, [str(run) for run in runs], read_history(results))
    baselines.set_baseline(results, name, entries)


def list_baselines(results: Path, *, as_json: bool) -> None:
    found = baselines.read_baselines(results)
    if as_json:
        console.print_json(msgspec.to_builtins(found))
        return
    for name, entries in found.items():
        for entry in entries:
            print(f"{name}  {entry.run}  {entry.scenario} {entry.point}  {entry.verdict.upper()}  {entry.began[:19]}")
    if not found:
        print("No baselines: `harness baseline set NAME RUN` makes one.")


def _export(trend: Trend, path: Path, plan_key: str) -> None:
    """One series: the only one, or that of ``plan_key``."""
    chosen = [series for series in trend.series if not plan_key or series.plan_key == plan_key]
    if len(chosen) != 1:
        known = "; ".join(series_heading(series) for series in trend.series) or "none"
        raise UsageError(f"--export: expected one series, found {len(chosen)}: choose one with --plan KEY of {known}")
    try:
        path.write_text(otava_csv(chosen[0]), encoding="utf-8")
    except OSError as error:
        raise EnvironmentFailure(f"--export {path} cannot be written: {error.strerror or error}") from error
