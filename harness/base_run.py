"""`harness report RUN --base BASE`: find the runs that the report draws beside its own."""

from pathlib import Path

from harness.compare_console import side_name, verdict_of
from harness.comparison.compare import differences_of
from harness.history.folders import entries_of
from harness.history.history_file import read_history
from harness.history.lookup import look_up
from harness.model.base_run import BaseRun
from harness.model.errors import UsageError
from harness.model.history import HistoryEntry


def find_base(results: Path, name: str, folder: Path) -> BaseRun:
    """The runs of ``name`` beside the run in ``folder``, found as `harness compare` finds BASE.

    Raises UsageError if either is not a single run, if both are the same, or if no recording of BASE is left.
    """
    run = entries_of(folder, results)
    _expect_runs("RUN", str(folder), run)
    base = look_up(results, [name], read_history(results))
    _expect_runs("BASE", name, base)
    if run[0].run in {entry.run for entry in base}:
        raise UsageError(f"a run cannot be on both sides: {run[0].run}")
    verdicts = [verdict for entry in base if (verdict := verdict_of(entry, results)) is not None]
    verdicts = [verdict for verdict in verdicts if verdict.run is not None and verdict.series]
    if not verdicts:
        raise UsageError(
            f"--base {name}: expected a run whose verdict.json and series.json are still in {results}, found neither "
            f"in {', '.join(entry.run for entry in base[:5])}: choose a run that is there, or compare the measures "
            f"with `harness compare {name} {folder}`"
        )
    differences, noted = differences_of(base, run)
    return BaseRun(name=side_name([name], base), verdicts=tuple(verdicts), differences=differences, noted=noted)


def _expect_runs(side: str, name: str, entries: tuple[HistoryEntry, ...]) -> None:
    """Raises UsageError for sweeps, matrices and searches, whose reports have no curves of one run."""
    other = next((entry for entry in entries if entry.kind != "run"), None)
    if other is not None:
        kind = "sweep or matrix" if other.kind == "member" else other.kind
        raise UsageError(
            f"report --base: expected single runs, found a {kind} as {side} ({name}): name one of its runs, or compare "
            "the whole with `harness compare`"
        )
