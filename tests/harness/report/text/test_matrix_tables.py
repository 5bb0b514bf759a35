"""The cells of a matrix's tables."""

import pytest

from harness.model.finding import Status
from harness.model.measurements.delivery import DeliveryCounts
from harness.model.measurements.matrix_measurements import Comparison, Operations, SystemFigures
from harness.report.text.matrix_tables import cell_table, decision_matrix, link, order_table
from harness.report.text.quantities import SPACE, UNKNOWN
from harness.report.text.table import Cell, Table
from tests.harness.report.matrix_verdicts import a_cell, a_matrix, a_system, cost, spread


def of_system(system: SystemFigures) -> dict[str, Cell]:
    """The cells in the row of ``system``, by the name of the column."""
    table = decision_matrix(a_matrix(system))
    assert table is not None
    (row,) = table.rows
    return dict(zip(table.columns, row, strict=True))


def plain(words: str) -> str:
    return words.replace(SPACE, " ")


def rows(table: Table | None) -> list[list[str]]:
    assert table is not None
    return [[cell.text for cell in row] for row in table.rows]


def test_without_rows_there_is_no_table() -> None:
    """Another verdict and an empty matrix have no tables."""
    empty = a_matrix(systems=(), cells=(), order=())
    for table in (decision_matrix, order_table, cell_table):
        assert table(None) is None
        assert table(empty) is None


def test_a_figure_shows_its_range_only_where_it_has_one() -> None:
    """60 ± 1 ms has a range, and 15.9 ms of a single cell has none. A value that was not measured is a dash."""
    row = of_system(a_system(p99_ms=60.0))
    assert plain(row["Latency"].text) == "P99 60 ms (59 to 61)"
    assert [plain(line) for line in row["Latency"].lines] == ["P50 15.9 ms", f"P95 {UNKNOWN}"]
    assert row["System"].lines == ("Redis Pub/Sub", "3 of 4 cells passed")
    lower = of_system(a_system(p50_ms=spread(15.9, low=15.0)))
    assert plain(lower["Latency"].lines[0]) == "P50 15.9 ms (15 to 15.9)"


@pytest.mark.parametrize(("lost", "not_stored", "status"), [(0, 0, "pass"), (2, 0, "fail"), (0, 3, "fail")])
def test_durability_is_red_where_anything_was_lost(lost: int, not_stored: int, status: str) -> None:
    """A message may be lost on the way to a client or on the way to the database."""
    cell = of_system(a_system(lost=lost, not_stored=not_stored))["Durability"]
    assert (cell.text, cell.status) == (f"{lost} lost", status)
    assert cell.lines[1] == f"{not_stored} acknowledged, not stored"
    assert len(cell.lines) == 2


def test_durability_tells_of_undelivered_and_of_nothing_measured() -> None:
    """The cell names undelivered messages. If nothing was expected, nothing was measured."""
    assert of_system(a_system(undelivered=7))["Durability"].lines[2] == "7 undelivered at the end"
    nothing = of_system(a_system(expected=0))["Durability"]
    assert (nothing.text, nothing.status, nothing.lines) == ("not measured", "unknown", ())


@pytest.mark.parametrize(("value", "words", "lines"), [(0.0, "0 s", 0), (2.5, "2.5 s", 0), (-0.5, "−0.5 s", 1)])
def test_a_recovery_below_zero_is_explained(value: float, words: str, lines: int) -> None:
    """A time below zero means that the servers had read everything before the broker was back."""
    cell = of_system(a_system(recovery_s=spread(value)))["Recovery"]
    assert (plain(cell.text), len(cell.lines)) == (words, lines)
    assert of_system(a_system())["Recovery"].text == UNKNOWN


def test_operation_names_three_settings_and_how_many_more() -> None:
    """All of three settings are named. Of five settings three are named and the rest is counted."""

    def line(*settings: str) -> str:
        facts = Operations(processes=1, ports=1, links=4, servers=4, settings=settings)
        return of_system(a_system(operations=facts))["To operate"].lines[1]

    assert line("a", "b", "c") == "3 settings changed: a, b, c"
    assert line("a", "b", "c", "d", "e") == "5 settings changed: a, b, c and 2 more"


def test_operation_leaves_out_what_is_not_known() -> None:
    """A start time of 0 s is a known value. Memory or code of 0 means not known."""
    bare = of_system(a_system(operations=Operations(processes=0, ports=0, links=0, servers=0)))["To operate"]
    assert (bare.text, bare.lines) == ("0 more processes", ("0 more ports, 0 links at 0 servers",))
    facts = Operations(processes=1, ports=2, links=4, servers=4, memory_bytes=2_097_152, start_s=0.0, adapter_lines=120)
    whole = of_system(a_system(operations=facts))["To operate"]
    assert whole.text == "1 more process"
    assert [plain(line) for line in whole.lines] == [
        "2 more ports, 4 links at 4 servers",
        "2 MiB of memory",
        "0 s until the cluster was ready",
        "120 lines of adapter",
    ]


def test_scaling_is_headed_by_the_most_servers() -> None:
    """Each server count has one line. Without a cost the cell is unknown."""
    cell = of_system(a_system(cost=cost((2, 40.0), (8, 60.5))))["Scaling"]
    assert cell.text == "8 servers"
    assert [plain(line) for line in cell.lines] == [
        "40 µs per delivery at 2 servers",
        "60.5 µs per delivery at 8 servers",
    ]
    assert of_system(a_system())["Scaling"].text == UNKNOWN


def test_the_order_says_what_the_figures_separate() -> None:
    """The table compares the systems in words, pair by pair."""
    pairs = (
        Comparison(faster="redis", slower="mesh", separated=True),
        Comparison(faster="mesh", slower="nats", separated=False),
    )
    assert rows(order_table(a_matrix(order=pairs))) == [
        ["redis", "is faster than", "mesh"],
        ["mesh", "is not separated from", "nats"],
    ]


def test_a_cell_has_its_figures_and_a_link_to_its_report() -> None:
    """A cell that was not run has a reason, but no figure, no link and no colour."""
    table = cell_table(a_matrix())
    assert table is not None
    ran, left_out = table.rows
    assert [plain(cell.text) for cell in ran[1:7]] == ["PASS", "4", "15.9 ms", "61.8 ms", "1\u202f000", "0"]
    assert ran[0].link == "runs/001-redis-scenario-a-4x1/report.html"
    assert (ran[1].status, ran[6].status) == ("pass", "")
    assert [cell.text for cell in left_out[1:7]] == ["not run", "4", UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN]
    assert (left_out[0].link, left_out[1].status, left_out[9].text) == ("", "", "cannot run here")


def test_a_loss_in_a_cell_is_red() -> None:
    """The number is red in addition to the verdict of the cell."""
    red = a_cell(status=Status.FAIL, delivery=DeliveryCounts(expected=9, delivered=8, lost=1))
    table = cell_table(a_matrix(cells=(red,)))
    assert table is not None
    assert (table.rows[0][1].status, table.rows[0][6].text, table.rows[0][6].status) == ("fail", "1", "fail")


@pytest.mark.parametrize("name", ["../../etc", "a b", 'a"b', "-", "", "\u00e9"])
def test_a_name_that_the_harness_would_not_give_is_not_linked(name: str) -> None:
    """A foreign verdict cannot make the report link to another place."""
    assert link(a_cell(name)) == ""
