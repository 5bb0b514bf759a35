"""A raw table as CSV (RFC 4180), which a spreadsheet opens without running anything that it holds."""

import csv
import io

from harness.report.raw.raw_tables import RawTable, Value

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_text(table: RawTable) -> str:
    """Head and rows, lines ending in CRLF. Text that a spreadsheet would take for a formula begins with an apostrophe."""
    written = io.StringIO(newline="")
    writer = csv.writer(written)
    writer.writerow(table.columns)
    writer.writerows([_cell(value) for value in row] for row in table.rows)
    return written.getvalue()


def _cell(value: Value) -> Value:
    if isinstance(value, bool):
        return str(value).lower()
    # Texts of the recording come from the service under test; numbers keep their sign.
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
