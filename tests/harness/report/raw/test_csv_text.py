import csv
import io

from harness.report.raw.csv_text import csv_text
from harness.report.raw.raw_tables import RawTable

TABLE = RawTable(
    name="made-up",
    what="",
    columns=("name", "p99_ms", "passed"),
    rows=(('a "b",\nc', -1.5, True), ("=1+1", None, False), ("@x", 12345678901234567, None)),
)


def test_values_are_read_back_as_they_were() -> None:
    """Quotes, commas, line ends and all digits of a number are kept. A value that was not measured is an empty cell."""
    rows = list(csv.reader(io.StringIO(csv_text(TABLE), newline="")))
    assert rows[0] == ["name", "p99_ms", "passed"]
    assert rows[1] == ['a "b",\nc', "-1.5", "true"]
    assert rows[2][1:] == ["", "false"]
    assert rows[3][1:] == ["12345678901234567", ""]


def test_no_text_is_a_formula() -> None:
    """A spreadsheet executes text that begins with one of these characters. Numbers may be negative."""
    cells = [cell for row in csv.reader(io.StringIO(csv_text(TABLE), newline="")) for cell in row]
    assert [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))] == ["-1.5"]
    assert {"'=1+1", "'@x"} <= set(cells)
