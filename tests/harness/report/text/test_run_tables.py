from collections.abc import Callable
from dataclasses import replace

import pytest

from harness.model.measurements.not_measured import NotMeasured
from harness.model.measurements.run_measurements import RunMeasurements
from harness.model.scenario import Size
from harness.report.text import run_tables
from harness.report.text.table import Cell, Table
from tests.harness.plans import a_plan
from tests.harness.report import outage_verdicts, verdicts

RUN = verdicts.measurements()


def test_latencies_list_what_was_measured() -> None:
    """Only a run with a fault has rows for live and recovered deliveries."""
    names = [row[0].text for row in _rows(run_tables.latencies(RUN))]
    assert names == ["Delivery", "Completion", "Acknowledgement", "Send lateness"]
    assert [row[0].text for row in _rows(run_tables.latencies(outage_verdicts.outage().run))][1:3] == [
        "Live",
        "Recovered",
    ]


def test_what_could_not_be_measured_is_listed_with_its_reason() -> None:
    """If everything was measured, there is no table. If the deliveries could not be counted, there is no ledger."""
    assert run_tables.not_measured(RUN) is run_tables.not_measured(None) is None
    missing = NotMeasured(name="lost_at", reason="IndexError: planted")
    rows = _rows(run_tables.not_measured(replace(RUN, not_measured=(missing,))))
    assert [cell.text for cell in rows[0]] == ["Lost at", "IndexError: planted"]
    assert run_tables.ledger(replace(RUN, delivery=None)) is None
    assert run_tables.indeterminate(replace(RUN, delivery=None)) == ""


def test_the_ledger_adds_up_all_phases() -> None:
    """Each class has its count in each phase and in total. Harm is red."""
    rows = {row[0].text: row[1:] for row in _rows(run_tables.ledger(verdicts.failed().run))}
    assert [cell.text for cell in rows["Posted"]] == ["500", "5\u202f000", "60\u202f000", "65\u202f500"]
    assert [cell.status for cell in rows["Lost"]] == ["", "", "fail", "fail"]
    assert {cell.status for cell in rows["Duplicate on the wire"]} == {""}


def test_indeterminate_posts_are_explained_where_there_are_some() -> None:
    """A run without them needs no explanation."""
    assert run_tables.indeterminate(RUN) == run_tables.indeterminate(None) == ""
    probe = replace(RUN.delivery.probe, indeterminate=1)
    assert run_tables.indeterminate(replace(RUN, delivery=replace(RUN.delivery, probe=probe))).startswith(
        "1\u00a0post ended indeterminate"
    )


def test_a_loss_names_its_hop() -> None:
    """Each hop that lost something has a row."""
    rows = _rows(run_tables.lost_at(verdicts.failed().run))
    assert [[cell.text for cell in row] for row in rows] == [["Fan-out", "35"], ["Push", "2"]]


def test_resources_are_named_by_their_product() -> None:
    """The kinds of broker and database are values of the measurements. A run without a broker has no table for it."""
    assert [table.caption for table in run_tables.resource_pairs(RUN)] == ["Redis", "PostgreSQL", "Machine"]
    alone = replace(RUN, broker=None, database=None)
    assert [table.caption for table in run_tables.resource_pairs(alone)] == ["Machine"]


@pytest.mark.parametrize(
    "table",
    [
        run_tables.latencies,
        run_tables.ledger,
        run_tables.lost_at,
        run_tables.server_grid,
        run_tables.worker_grid,
        run_tables.publisher_pairs,
    ],
)
def test_without_measurements_there_is_no_table(table: Callable[[RunMeasurements | None], Table | None]) -> None:
    """The result is None, so that the page can say what is missing."""
    assert table(None) is None
    assert run_tables.resource_pairs(None) == ()


def test_the_plan_names_everything_that_decided_the_run() -> None:
    """The table names the size, --force, the recovery and the requested audience in words."""
    plan = a_plan(size=Size.FIT, forced=True, recovery="manual", asked_audience="all")
    rows = {row[0].text: row[1].text for row in run_tables.plan_table(plan).rows}
    assert rows["size"] == "fit, forced"
    assert rows["recovery"] == "manual: the servers wait for a request"
    assert rows["audience"].endswith("(asked: all)")
    assert rows["faults"] == "none"


def test_reductions_are_listed_with_their_reason() -> None:
    """A row has the wanted value, the planned value and the reason."""
    rows = _rows(run_tables.reductions(verdicts.a_large_plan()))
    assert rows[0][3].text == "it would need 181.2 cores, this machine has 2"
    assert run_tables.reductions(a_plan()) is None


def _rows(table: Table | None) -> tuple[tuple[Cell, ...], ...]:
    assert table is not None
    return table.rows
