"""The key figures of a matrix."""

import pytest

from harness.model.measurements.delivery import DeliveryCounts
from harness.report.text.matrix_tiles import matrix_tiles
from harness.report.text.tile import Tile
from tests.harness.report.matrix_verdicts import a_matrix, a_system, a_verdict


def tiles(**changes: object) -> dict[str, Tile]:
    return {tile.name: tile for tile in matrix_tiles(a_verdict(a_matrix(**changes)))}


def test_another_verdict_has_none() -> None:
    """Only a matrix has these tiles."""
    assert matrix_tiles(a_verdict(None)) == ()


def test_only_cells_that_were_run_are_counted() -> None:
    """There are two systems and two cells, and one cell could not run."""
    found = tiles()["Systems"]
    assert (found.figure, found.notes) == ("2", ("1 cells were run",))


@pytest.mark.parametrize(
    ("counts", "status"),
    [
        (DeliveryCounts(expected=10, delivered=10), "pass"),
        (DeliveryCounts(expected=10, delivered=9, lost=1), "fail"),
        (DeliveryCounts(expected=10, delivered=9, undelivered=1), ""),
        (DeliveryCounts(), ""),
    ],
)
def test_deliveries_are_green_only_where_all_arrived(counts: DeliveryCounts, status: str) -> None:
    """A loss is red. Deliveries that were undelivered at the end, or not expected, decide nothing."""
    found = tiles(delivery=counts)["Deliveries"]
    assert (found.figure, found.status, found.notes[1]) == (str(counts.delivered), status, f"{counts.lost} lost")


def test_the_lowest_p99_is_of_the_fastest_system_that_was_measured() -> None:
    """The order of the systems does not matter. The tile holds the unit apart from the figure."""
    found = tiles(systems=(a_system("a", 81.0), a_system("b", None), a_system("c", 61.8)))["Lowest P99"]
    assert (found.figure, found.unit, found.notes) == ("61.8", "ms", ("c", "scenario-a"))
    none = tiles(systems=(a_system("b", None),))["Lowest P99"]
    assert (none.figure, none.unit, none.notes) == ("–", "", ("not measured",))


def test_what_was_not_stored_is_summed_over_systems() -> None:
    """3 and 4 messages give 7."""
    systems = (a_system("a", not_stored=3), a_system("b", not_stored=4))
    assert tiles(systems=systems)["Acknowledged, not stored"].figure == "7"
