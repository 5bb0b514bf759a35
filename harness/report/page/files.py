"""Writes the report, its figures and its tables into a run's folder. Only this module and the index write files."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.model.base_run import BaseRun
from harness.model.errors import EnvironmentFailure
from harness.model.finding import Verdict
from harness.model.last_matrix import LastMatrix
from harness.model.proof import LastProof
from harness.recording.format import PLOTS, REPORT, TABLES
from harness.report.page.beside import beside_base
from harness.report.page.run_page import page
from harness.report.plots.drawing import Drawing
from harness.report.plots.figures import drawings
from harness.report.plots.time_axis import Events
from harness.report.raw.csv_text import csv_text
from harness.report.raw.raw_tables import RawTable, raw_tables
from harness.report.text.matrix_note import matrix_note
from harness.report.text.proof_note import proof_note


def write_report(
    folder: Path,
    verdict: Verdict,
    machine: Mapping[str, Any],
    events: Events,
    proof: LastProof | None = None,
    matrix: LastMatrix | None = None,
    base: BaseRun | None = None,
) -> Path:
    """Write ``plots/``, ``tables/`` and ``report.html`` into ``folder``; returns the page's path.

    ``proof`` is the newest proof of the harness on this machine, ``matrix`` the newest matrix. Figures and tables of an
    earlier report that this one does not have are removed. ``base``: what is drawn beside the run. Raises
    EnvironmentFailure where the folder cannot be written.
    """
    drawn = drawings(verdict, events)
    tables = raw_tables(verdict)
    beside = beside_base(verdict, base) if base is not None else None
    notes = (proof_note(folder, proof), matrix_note(folder, matrix))
    html = page(verdict, machine, events, drawn, *notes, tables, beside)
    return write_page(folder, html, (*drawn.drawn, *(beside.drawings if beside else ())), tables)


def write_page(folder: Path, html: str, drawn: Sequence[Drawing], tables: Sequence[RawTable] = ()) -> Path:
    """Write a page with its figures and tables, and remove those of an earlier one. Raises EnvironmentFailure."""
    plots = {f"{one.name}.svg": one.svg.encode(errors="replace") for one in drawn}
    plots |= {f"{one.name}.png": one.png for one in drawn}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _fill(folder / PLOTS, plots, (".svg", ".png"))
        _fill(folder / TABLES, {f"{one.name}.csv": csv_text(one).encode(errors="replace") for one in tables}, (".csv",))
        replace(folder / REPORT, html.encode(errors="replace"))
    except OSError as error:
        raise EnvironmentFailure(
            f"the report cannot be written: expected a writable folder {folder}, found: {error}; "
            "the recording is untouched, so repair this and run 'harness report' on it"
        ) from error
    return folder / REPORT


def _fill(folder: Path, files: Mapping[str, bytes], endings: Sequence[str]) -> None:
    """Write ``files`` by name; other files of these endings are of an earlier page and go."""
    if files:
        folder.mkdir(exist_ok=True)
    for name, content in files.items():
        replace(folder / name, content)
    for old in folder.glob("*"):
        if old.suffix in endings and old.name not in files and not old.name.startswith("."):
            old.unlink()


def replace(path: Path, content: bytes) -> None:
    """Write ``path`` so that a reader sees the old file or the new one, never an incomplete one."""
    draft = path.with_name(f".{path.name}.draft")
    try:
        draft.write_bytes(content)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
