"""`harness compare`: find the runs, compare, write the page, print."""

import os
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from harness import console
from harness.comparison.compare import compare
from harness.comparison.margins import margins_of
from harness.comparison.summary import comparison_summary
from harness.exit_codes import ExitCode, of_status
from harness.history.baselines import PREFIX
from harness.history.history_file import read_history
from harness.history.lookup import look_up
from harness.model.comparison import Comparison
from harness.model.errors import EnvironmentFailure, UsageError
from harness.model.finding import Verdict
from harness.model.history import HistoryEntry
from harness.model.measure import MEASURES
from harness.outputs.destinations import Destinations
from harness.recording.format import VERSION
from harness.recording.reader import read_verdict
from harness.recording.writer import new_folder, write_json
from harness.report.text.comparison_tables import comparison_lines, comparison_sentence

FAMILY = "compare"
COMPARISON = "comparison.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """The options that both kinds of comparison have."""

    margins: Sequence[str] = ()
    only: Sequence[str] = ()
    across: bool = False
    doubtful: bool = False
    results: Path = Path("results")
    as_json: bool = False
    outputs: Destinations = field(default_factory=Destinations)

    def refuse_unknown(self) -> dict[str, float]:
        """The margins by measure. Raises UsageError for an unknown margin or measure."""
        for name in self.only:
            MEASURES.get(name)
        return margins_of(self.margins)


def compare_named(base: Sequence[str], run: Sequence[str], wishes: Wishes) -> ExitCode:
    """`harness compare BASE RUN`: each side by the names of its runs."""
    margins = wishes.refuse_unknown()
    history = read_history(wishes.results)
    sides = [look_up(wishes.results, names, history) for names in (base, run)]
    if common := {entry.run for entry in sides[0]} & {entry.run for entry in sides[1]}:
        raise UsageError(f"a run cannot be on both sides: {', '.join(sorted(common)[:5])}")
    comparison = compare(
        sides[0],
        sides[1],
        history.entries,
        base_name=side_name(base, sides[0]),
        run_name=side_name(run, sides[1]),
        margins_percent=margins,
        only=wishes.only,
        across=wishes.across,
        doubtful=wishes.doubtful,
    )
    return publish(comparison, wishes)


def side_name(names: Sequence[str], entries: Sequence[HistoryEntry]) -> str:
    """The name of a side: of a baseline its name, of one run its path, of a group its size."""
    if len(names) == 1 and names[0].startswith(PREFIX):
        return names[0]
    plain = [entry for entry in entries if entry.kind != "member"]
    return plain[0].run if len(plain) == 1 else f"{len(entries)} runs"


def publish(comparison: Comparison, wishes: Wishes, folder: Path | None = None) -> ExitCode:
    """Write the comparison into ``folder``, or into a new one, print it, write the outputs; returns the exit code."""
    folder = folder or new_folder(wishes.results / FAMILY, lambda path: path.mkdir())
    _write(comparison, wishes, folder)
    page = folder / "report.html"
    if wishes.as_json:
        console.print_json({"status": comparison.status, **msgspec.to_builtins(comparison)})
    else:
        for line in comparison_lines(comparison):
            print(line)
        print(f"report: {page}")
    if wishes.outputs:
        sentence = comparison_sentence(comparison)
        wishes.outputs.write(comparison_summary(comparison, sentence=sentence, report=str(page)))
    return of_status(comparison.status)


def _write(comparison: Comparison, wishes: Wishes, folder: Path) -> None:
    from harness.report.page.comparison_page import write_comparison_page

    try:
        document = {"version": VERSION, "status": comparison.status, **msgspec.to_builtins(comparison)}
        write_json(folder / COMPARISON, document)
    except OSError as error:
        raise EnvironmentFailure(f"{COMPARISON} cannot be written to {folder}: {error.strerror or error}") from error
    command = shlex.join(("harness", *sys.argv[1:]))
    write_comparison_page(folder, wishes.results, comparison, _curves(comparison, wishes.results), command)


def _curves(comparison: Comparison, results: Path) -> dict[str, tuple[list[Verdict], list[Verdict]]]:
    """The verdicts with curves of the runs whose recording still exists, by point."""
    found: dict[str, tuple[list[Verdict], list[Verdict]]] = {}
    if comparison.differences and not comparison.across:
        return found
    unused = {left.run for left in comparison.left_out if not left.used and not comparison.across}
    for side, entries in enumerate((comparison.base, comparison.run)):
        for entry in entries:
            verdict = None if entry.run in unused else verdict_of(entry, results)
            if verdict is not None and verdict.run is not None:
                found.setdefault(entry.point, ([], []))[side].append(verdict)
    return {point: sides for point, sides in found.items() if all(sides)}


def verdict_of(entry: HistoryEntry, results: Path) -> Verdict | None:
    """The verdict of a run whose recording still exists; None if it does not."""
    folder = Path(os.path.normpath(results / entry.run))
    try:
        return read_verdict(folder)
    except (UsageError, OSError):
        return None
