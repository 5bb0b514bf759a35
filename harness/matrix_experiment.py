"""The course of a matrix: one cell after the other, each with its own recording, then one verdict and one page over
all. If a cell fails, is undecided or cannot be started, the matrix continues with the other cells. Ctrl-C ends it, and
the finished cells are judged.
"""

import contextlib
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness import experiment, judging
from harness.ending import COMPLETE, INTERRUPTED, Ending
from harness.exit_codes import ExitCode, of_status
from harness.experiment import Outcome
from harness.model.errors import HarnessError, UsageError
from harness.model.finding import Verdict
from harness.model.matrix_plan import Cell, MatrixPlan
from harness.model.watch import Watch
from harness.recording.matrix_folder import cell_folder, create_cell_folder, create_matrix_folder, read_matrix
from harness.recording.reader import Recording, read_events, read_machine, read_verdict
from harness.recording.seal import end_recording, require_seal
from harness.recording.writer import Journal, write_verdict

if TYPE_CHECKING:
    from harness.checks.matrix.cell_figures import RanCell

Watching = Callable[[Cell], AbstractContextManager[Watch]]
"""Makes the progress display of one cell."""


def run_matrix(plan: MatrixPlan, *, out: Path, watching: Watching, say: Callable[[str], None]) -> Outcome:
    """Run every cell of ``plan`` in its order, in a new folder below ``out``, then judge and render the whole.

    Raises EnvironmentFailure if even the folder cannot be made.
    """
    folder = create_matrix_folder(out, plan)
    with Journal(folder) as journal:
        ending = _run_cells(plan, folder, journal, watching, say)
        with contextlib.suppress(OSError):
            end_recording(folder, journal, how=ending.how, why=ending.why)
    verdict: Verdict | None = None
    try:
        verdict = _judge_cells(folder)
        render_matrix(folder)
    except HarnessError as error:
        if ending.exit_code is None:
            raise
        say(f"not judged: {error}")
    exit_code = ending.exit_code
    if exit_code is None:
        assert verdict is not None
        exit_code = of_status(verdict.status)
    return Outcome(folder=folder, verdict=verdict, exit_code=exit_code, why=ending.why)


def _run_cells(
    plan: MatrixPlan, folder: Path, journal: Journal, watching: Watching, say: Callable[[str], None]
) -> Ending:
    left_s = plan.predicted_s
    try:
        for cell in plan.running:
            say(f"cell {cell.order} of {len(plan.running)}: {cell.name}; about {left_s / 60:.0f} min left")
            outcome = _run_cell(cell, folder, journal, watching)
            say(f"{cell.name}: {outcome.exit_code.name}{f', {outcome.why}' if outcome.why else ''}")
            left_s -= cell.predicted_s
            if outcome.exit_code is ExitCode.INTERRUPTED:
                return INTERRUPTED
    except KeyboardInterrupt:
        return INTERRUPTED
    except (HarnessError, OSError) as error:
        return Ending(how="failed", why=str(error), exit_code=ExitCode.ENVIRONMENT)
    return COMPLETE


def _run_cell(cell: Cell, folder: Path, journal: Journal, watching: Watching) -> Outcome:
    assert cell.plan is not None
    journal.event("run", name=cell.name, state="begins")
    began_s = time.monotonic()
    with watching(cell) as watch:
        outcome = experiment.run_experiment(cell.plan, out=folder, watch=watch, folder=create_cell_folder(folder, cell))
    took_s = round(time.monotonic() - began_s, 1)
    code = int(outcome.exit_code)
    journal.event("run", name=cell.name, state="ended", exit_code=code, why=outcome.why, took_s=took_s)
    return outcome


def judge_matrix_folder(folder: Path) -> Verdict:
    """Judge every cell in ``folder`` again from its recording, then the matrix; write all verdicts."""
    require_seal(folder, read_events(folder))
    for cell in read_matrix(folder).running:
        # A cell that never began leaves nothing to judge.
        if cell_folder(folder, cell).exists():
            judging.judge_recording(cell_folder(folder, cell))
    return _judge_cells(folder)


def _judge_cells(folder: Path) -> Verdict:
    """Judge the matrix by its cells' verdicts and recordings, and write its verdict."""
    from harness.checks.matrix.matrix_judging import judge_matrix

    plan = read_matrix(folder)
    why = {
        event.get("name"): str(event.get("why", ""))
        for event in read_events(folder)
        if event.get("event") == "run" and event.get("state") == "ended"
    }
    verdict = judge_matrix(plan, [_ran(folder, cell, why.get(cell.name, "it was not run")) for cell in plan.running])
    write_verdict(folder, verdict)
    return verdict


def _ran(folder: Path, cell: Cell, why: str) -> "RanCell":
    from harness.checks.matrix.cell_figures import RanCell

    path = cell_folder(folder, cell)
    try:
        return RanCell(cell=cell, verdict=read_verdict(path), recording=Recording.open(path), why=why)
    except UsageError as error:
        return RanCell(cell=cell, why=why or str(error))


def _machine(folder: Path, plan: MatrixPlan) -> dict[str, Any]:
    """The machine, by the first cell that described it."""
    for cell in plan.running:
        if found := read_machine(cell_folder(folder, cell)):
            return found
    return {}


def render_matrix(folder: Path) -> Path:
    """Write the matrix' report.html and plots from its verdict, and the index of all results. Returns the page."""
    from harness.report import write_index
    from harness.report.page.matrix_page import write_matrix_report

    verdict = read_verdict(folder)
    page = write_matrix_report(folder, verdict, _machine(folder, read_matrix(folder)), read_events(folder))
    if folder.resolve().parent.name == verdict.plan.scenario:
        write_index(folder.resolve().parent.parent)
    return page
