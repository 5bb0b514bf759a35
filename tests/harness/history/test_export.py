"""The CSV for Otava."""

import csv
import io

from harness.history.export import otava_csv
from harness.history.trend import trend_of
from harness.model.history import History
from tests.harness.history.entries import an_entry


def test_one_row_a_run_and_one_column_a_measure() -> None:
    """Missing values are empty cells. A text that begins like a formula is escaped, because a spreadsheet would execute
    it."""
    entries = (an_entry(0), an_entry(1, {"delivery_p99_ms": 5.0}, revision="=cmd()"))
    rows = list(csv.DictReader(io.StringIO(otava_csv(trend_of(History(entries=entries)).series[0]))))
    assert [row["servers_cpu_us_per_delivery"] for row in rows] == ["50", ""]
    assert [row["delivery_p99_ms"] for row in rows] == ["", "5"]
    assert rows[1]["revision"] == "'=cmd()"
    assert rows[0]["revision"] == rows[0]["run"]
