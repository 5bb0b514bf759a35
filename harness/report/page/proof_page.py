"""A proof as one HTML page."""

from pathlib import Path
from urllib.parse import quote

from harness.model.errors import EnvironmentFailure
from harness.model.proof import Place, Proof, ProofRow
from harness.recording.format import REPORT
from harness.recording.proof_folder import PROOF_PAGE
from harness.report.page.files import replace
from harness.report.page.templates import fill
from harness.report.text import proof_lines
from harness.report.text.quantities import count
from harness.report.text.table import Cell, Table, figures, text

_COLUMNS = ("Name", "Result", "What was planted", "Planted", "Expected verdict", "Was said", "Found", "Seconds")


def write_proof_page(folder: Path, proof: Proof) -> Path:
    """Write proof.html into ``folder``. Raises EnvironmentFailure if the folder cannot be written."""
    path = folder / PROOF_PAGE
    try:
        replace(path, proof_page(folder, proof).encode(errors="replace"))
    except OSError as error:
        raise EnvironmentFailure(f"the page of the proof cannot be written: {error}") from error
    return path


def proof_page(folder: Path, proof: Proof) -> str:
    """One table for each place of a planted bug. Links lead to the reports that exist below ``folder``."""
    tables = [
        Table(
            caption=f"Planted {place}" if place is not Place.NOWHERE else "Controls: no bug was planted",
            columns=_COLUMNS,
            rows=tuple(_row(folder, row) for row in proof.rows if row.place is place),
            prose=True,
        )
        for place in Place
        if any(row.place is place for row in proof.rows)
    ]
    return fill("proof.html", proof=proof, summary=proof_lines.summary(proof), tables=tables)


def _row(folder: Path, row: ProofRow) -> tuple[Cell, ...]:
    report = f"{row.folder}/{REPORT}"
    link = quote(report) if row.folder and (folder / report).is_file() else ""
    attempts = (f"attempt {row.attempts}",) if row.attempts > 1 else ()
    return (
        Cell(text=row.name, link=link, lines=attempts),
        Cell(text="right" if row.right else "wrong", status="pass" if row.right else "fail"),
        text(row.planted),
        figures(count(row.events)),
        Cell(text="", lines=row.demanded),
        Cell(text="", lines=row.said if row.right else (*row.said, *row.wrong)),
        figures(count(row.found)),
        figures(f"{row.took_s:.1f}"),
    )
