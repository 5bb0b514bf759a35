"""A series as CSV for Apache Otava: one row for each run, one column for each measure."""

import csv
import io

from harness.model.trend import TrendSeries

TIME, REVISION, RUN, MACHINE = "time", "revision", "run", "machine"


def otava_csv(series: TrendSeries) -> str:
    """Runs that are not used have empty cells. Times are ISO 8601 in UTC."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([TIME, REVISION, RUN, MACHINE, *(line.measure for line in series.lines)])
    for index, entry in enumerate(series.entries):
        values = [line.values[index] for line in series.lines]
        cells = ["" if value is None else f"{value:.9g}" for value in values]
        row = [entry.began, entry.revision or entry.run, entry.run, entry.machine_key, *cells]
        writer.writerow([_harmless(cell) for cell in row])
    return text.getvalue()


def _harmless(cell: str) -> str:
    """A cell that a spreadsheet does not read as a formula: revisions and paths may hold any text."""
    return f"'{cell}" if cell[:1] in "=+-@\t\r" and cell[:1] else cell
