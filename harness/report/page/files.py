"""Writes the report and its figures into a run's folder. Beside the index, no other module here writes files."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.model.errors import EnvironmentFailure
from harness.model.finding import Verdict
from harness.model.proof import LastProof
from harness.recording.format import PLOTS, REPORT
from harness.report.page.run_page import page
from harness.report.plots.drawing import Drawing
from harness.report.plots.figures import drawings
from harness.report.plots.time_axis import Events
from harness.report.text.proof_note import proof_note


def write_report(
    folder: Path, verdict: Verdict, machine: Mapping[str, Any], events: Events, proof: LastProof | None = None
) -> Path:
    """Write ``plots/*.svg``, ``plots/*.png`` and ``report.html`` into ``folder``; returns the page's path.

    ``proof`` is the newest proof of the harness on this machine. Figures of an earlier report that this one does not
    have are removed. Raises EnvironmentFailure if the folder cannot be written.
    """
    drawn = drawings(verdict, events)
    return write_page(folder, page(verdict, machine, events, drawn, proof_note(folder, proof)), drawn.drawn)


def write_page(folder: Path, html: str, drawn: Sequence[Drawing]) -> Path:
    """Write a page and its figures, and remove figures of an earlier one. Raises EnvironmentFailure."""
    try:
        plots = folder / PLOTS
        plots.mkdir(parents=True, exist_ok=True)
        fresh = set()
        for drawing in drawn:
            for ending, content in (("svg", drawing.svg.encode(errors="replace")), ("png", drawing.png)):
                replace(plots / f"{drawing.name}.{ending}", content)
                fresh.add(f"{drawing.name}.{ending}")
        for old in plots.iterdir():
            if old.suffix in (".svg", ".png") and old.name not in fresh:
                old.unlink()
        replace(folder / REPORT, html.encode(errors="replace"))
    except OSError as error:
        raise EnvironmentFailure(
            f"the report cannot be written: expected a writable folder {folder}, found: {error}; "
            "the recording is untouched, so repair this and run 'harness report' on it"
        ) from error
    return folder / REPORT


def replace(path: Path, content: bytes) -> None:
    """Write ``path`` so that a reader sees the old file or the new one, never an incomplete one."""
    draft = path.with_name(f".{path.name}.draft")
    try:
        draft.write_bytes(content)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
