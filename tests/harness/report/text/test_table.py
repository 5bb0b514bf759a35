import pytest

from harness.model.measurements.resources import BrokerFigures, ProcessFigures, StatementFigures
from harness.report.text.table import Cell, Table, grid, pairs, settings
from tests.harness.report.verdicts import percentiles


def test_every_row_fills_every_column() -> None:
    """A short row is a mistake in the program."""
    with pytest.raises(AssertionError, match="every row fills every column"):
        Table(caption="", columns=("a", "b"), rows=((Cell(text="1"),),))


def test_a_grid_has_the_columns_that_any_row_fills() -> None:
    """A figure that no member has gets no column. If only some members have the figure, it reads as unknown for the
    others."""
    members = [("a", ProcessFigures(cpu_cores=0.5)), ("b", ProcessFigures())]
    found = grid("Processes", "Process", members)
    assert found is not None
    assert found.columns == ("Process", "CPU")
    assert [[cell.text for cell in row] for row in found.rows] == [["a", "0.5\u00a0cores"], ["b", "–"]]


def test_without_figures_there_is_no_table() -> None:
    """An empty table is None, so that the page can say what is missing."""
    assert grid("", "", []) is None
    assert grid("", "", [("a", ProcessFigures())]) is None
    assert pairs("", None) is None
    assert pairs("", ProcessFigures()) is None
    assert settings("", {}) is None


def test_pairs_leave_out_what_is_no_figure() -> None:
    """A kind and nested measurements are no figures. A rate in bytes has its unit."""
    found = pairs("Broker", BrokerFigures(kind="nats", net_out_bytes_hz=1024.0))
    assert found is not None
    assert [[cell.text for cell in row] for row in found.rows] == [["Net out", "1\u00a0KiB/s"]]
    assert pairs("", StatementFigures(statement="SELECT", duration=percentiles(1, 2, 3, 4))) is None


def test_settings_are_named_by_their_path_and_cut_with_a_count() -> None:
    """Each leaf has a row. Rows beyond the limit are counted."""
    found = settings("", {"a": {"b": 1, "c": None}, "d": "x", "e": 2}, rows_max=3)
    assert found is not None
    assert [[cell.text for cell in row] for row in found.rows] == [
        ["a › b", "1"],
        ["a › c", "–"],
        ["d", "x"],
        ["…", "1 more in the file"],
    ]
