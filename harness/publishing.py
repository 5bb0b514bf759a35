"""Outputs of a finished command beside its folder: files for CI systems, and a line of the history."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from harness.model.capacity import Capacity
from harness.model.errors import HarnessError, UsageError
from harness.model.finding import Verdict
from harness.model.summary import Summary
from harness.outputs.destinations import Destinations
from harness.recording.format import REPORT, RUNS
from harness.recording.matrix_folder import cell_folder, is_matrix_folder, read_matrix
from harness.recording.reader import read_events, read_machine, read_verdict
from harness.recording.sweep_folder import is_sweep_folder, member_folder, read_sweep


def summarize_folder(folder: Path, verdict: Verdict) -> Summary:
    """The summary of a run, a sweep or a matrix, from its folder."""
    from harness.outputs.summary import summary_of

    report = folder / REPORT
    shown = str(report) if report.is_file() else ""
    places = _members(folder)
    if places is None:
        from harness.checks.judge import checks_of

        names = [check.name for check in checks_of(verdict.plan)]
        machine, events = read_machine(folder), read_events(folder)
        return summary_of(verdict, machine, events, not_applicable=names, report=shown)
    members, machine = {}, {}
    for name, path in places:
        try:
            members[name] = read_verdict(path)
        except UsageError:
            continue  # it has no verdict
        machine = machine or read_machine(path)
    return summary_of(verdict, machine, read_events(folder), members=members, report=shown)


def _members(folder: Path) -> list[tuple[str, Path]] | None:
    """(name of its place, folder) of each run of a sweep or a matrix; None for a single run."""
    if is_sweep_folder(folder):
        sweep = read_sweep(folder)
        return [(f"{m.curve} {m.servers} servers, {m.repetition}", member_folder(folder, m)) for m in sweep.members]
    if is_matrix_folder(folder):
        cells = read_matrix(folder).running
        return [
            (f"{c.system.name} {c.scenario} {c.servers} servers, {c.repetition}", cell_folder(folder, c)) for c in cells
        ]
    return None


def summarize_search(folder: Path, capacity: Capacity) -> Summary:
    """A capacity search's summary, from its folder."""
    from harness.outputs.summary import capacity_summary
    from harness.report.text.capacity_words import sentence

    report = folder / REPORT
    machine = next((found for step in sorted((folder / RUNS).glob("*")) if (found := read_machine(step))), {})
    shown = str(report) if report.is_file() else ""
    return capacity_summary(capacity, machine, read_events(folder), sentence=sentence(capacity), report=shown)


def publish_folder(folder: Path, verdict: Verdict | None, destinations: Destinations) -> None:
    """Write the outputs of a run, a sweep or a matrix. Without a verdict no file is written, and files of an earlier
    run are removed, so that they are not taken for this run's. Raises EnvironmentFailure."""
    if not destinations:
        return
    if verdict is None:
        for path in destinations.files.values():
            if path.is_file():
                path.unlink()
        return
    destinations.write(summarize_folder(folder, verdict))


def note_in_history(folder: Path, results: Path, labels: Mapping[str, str]) -> None:
    """Append the lines of ``folder``. If the history cannot be written, that is reported and does not change the exit
    code: the recording exists, and `harness trend --rebuild` reads it again."""
    from harness.history.folders import entries_of
    from harness.history.history_file import append_entry
    from harness.history.revision import revision_of

    try:
        for entry in entries_of(folder, results, labels=labels, revision=revision_of(labels, os.environ)):
            append_entry(results, entry)
    except HarnessError as error:
        print(f"harness: not in the history: {error}", file=sys.stderr, flush=True)
