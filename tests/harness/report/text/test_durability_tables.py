"""The tables of durability."""

from harness.model.measurements.durability import Durability, NotStoredAt, ServerLoss
from harness.report.text import durability_tables
from tests.harness.report.verdicts import percentiles

LOSS = ServerLoss(
    server="server-2",
    killed_s=2.5,
    rate_hz=100.0,
    lag_s=1.02,
    expected=101.6,
    expected_low=87.7,
    expected_high=115.6,
    found=107,
)


def test_expected_stands_beside_found() -> None:
    """A loss has the colour of a failure."""
    table = durability_tables.losses(Durability(losses=(LOSS,)))
    assert table is not None
    cells = [cell.text for cell in table.rows[0]]
    assert cells[0] == "server-2"
    assert "102" in cells[4] or "101.6" in cells[4]
    assert (table.rows[0][-1].text, table.rows[0][-1].status) == ("107", "fail")


def test_without_figures_there_is_no_table() -> None:
    for nothing in (None, Durability()):
        assert durability_tables.lags(nothing) is None
        assert durability_tables.losses(nothing) is None
        assert durability_tables.not_stored_at(nothing) is None


def test_lags_and_hops_have_a_row_each() -> None:
    measured = Durability(
        lag=percentiles(1, 2, 3, 4), not_stored_at=(NotStoredAt(hop="published → stored (persist)", messages=7),)
    )
    lags, hops = durability_tables.lags(measured), durability_tables.not_stored_at(measured)
    assert lags is not None
    assert hops is not None
    assert len(lags.rows) == 1
    assert [cell.text for cell in hops.rows[0]] == ["Published → stored (persist)", "7"]
