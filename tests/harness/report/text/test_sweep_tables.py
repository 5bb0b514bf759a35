from dataclasses import replace

from harness.report.text import sweep_tables
from tests.harness.report import sweep_verdicts, verdicts

SWEEP = sweep_verdicts.sweep()
RUN = SWEEP.runs[0]


def test_each_curve_has_a_table_of_its_runs() -> None:
    """A curve without runs has no table."""
    assert [len(table.rows) for table in sweep_tables.latencies(SWEEP.runs)] == [3, 3]
    assert len(sweep_tables.latencies(SWEEP.runs[:1])) == 1
    assert sweep_tables.latencies(()) == ()


def test_a_run_that_was_not_measured_keeps_its_row() -> None:
    """The figures of the run read as unknown. Its verdict and the link to its report stay."""
    bare = replace(RUN, latency=None, completion=None, messages_hz=None, deliveries_hz=None, steps=None, broker=None)
    (table,) = sweep_tables.latencies([bare])
    assert table.rows[0][0].link == f"runs/{RUN.run}/report.html"
    assert {cell.text for cell in table.rows[0][3:11]} == {"–"}
    runs = sweep_tables.run_table([bare])
    assert runs is not None
    assert {cell.text for cell in runs.rows[0][8:]} == {"–"}
    assert sweep_tables.broker_table([bare], verdicts.a_large_plan()) is None


def test_only_names_that_the_harness_gives_are_linked() -> None:
    """A recording cannot choose where a link leads."""
    for name in ("", "../x", "javascript:alert(1)", "ü", "a b"):
        assert sweep_tables.link(replace(RUN, run=name)) == ""


def test_growth_shows_the_fit_with_its_interval() -> None:
    """A row has the line, R², the exponent with its interval, the share of the quadratic term with its bounds, and the
    share that the runs could detect. An open interval is left out."""
    table = sweep_tables.growth(SWEEP)
    assert table is not None
    words = [cell.text for cell in table.rows[0]]
    assert words[3:6] == ["1\u202f000 + 30 · N", "0.999", "0.2 (0.1 to 0.3)"]
    assert words[6:] == ["1\u00a0%", "0\u00a0%", "4\u00a0%", "25\u00a0%"]
    fit = replace(SWEEP.fits[0], exponent=replace(SWEEP.fits[0].exponent, low=None), quadratic_share=None)
    bare = sweep_tables.growth(replace(SWEEP, fits=(fit,)))
    assert bare is not None
    assert [cell.text for cell in bare.rows[0]][5:] == ["0.2", "–", "–", "–", "25\u00a0%"]
    assert sweep_tables.growth(None) is None


def test_ratios_and_the_law_are_there_where_they_were_measured() -> None:
    """A value that was not measured is left out."""
    table = sweep_tables.ratios(SWEEP)
    assert table is not None
    assert table.rows[0][0].text == "8 over 2 servers"
    assert "contention α = 0.02 and coherency β = 0.001" in sweep_tables.scalability_law(SWEEP)
    assert sweep_tables.ratios(None) is None
    assert sweep_tables.scalability_law(replace(SWEEP, scalability_law=None)) == ""


def test_broker_and_database_are_named_by_their_product() -> None:
    """The captions are the titles of the kinds. Each statement has a row."""
    broker = sweep_tables.broker_table(SWEEP.runs, verdicts.a_large_plan())
    database = sweep_tables.database_table(SWEEP.runs)
    assert broker is not None
    assert database is not None
    assert (broker.caption, database.caption) == ("Redis", "PostgreSQL, by its own log")
    assert database.rows[0][2].text == "INSERT"
    assert sweep_tables.database_table([replace(RUN, database=None)]) is None
