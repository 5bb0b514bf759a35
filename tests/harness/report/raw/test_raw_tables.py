"""The raw tables of made-up verdicts."""

import re
from dataclasses import fields, replace
from pathlib import Path

import pytest

from harness.model.finding import Series, Verdict
from harness.model.measurements.sweep_measurements import SweepRun
from harness.report.raw.raw_tables import RawTable, raw_tables
from tests.harness.report import outage_verdicts, sweep_verdicts, verdicts

DOCUMENT = Path(__file__).resolve().parents[4] / "docs" / "results.md"


def table(verdict: Verdict, name: str) -> RawTable:
    return next(one for one in raw_tables(verdict) if one.name == name)


def documented() -> dict[str, str]:
    """The columns of each file in the table of docs/results.md."""
    return dict(re.findall(r"^\| `tables/([^`]+)\.csv` \| (.+?) \|$", DOCUMENT.read_text(), re.MULTILINE))


@pytest.mark.parametrize("verdict", [verdicts.passed(), outage_verdicts.outage()], ids=["passed", "outage"])
def test_docs_name_every_file_and_its_columns(verdict: Verdict) -> None:
    """docs/results.md lists exactly the written columns of each file, in their order."""
    known = documented()
    for one in raw_tables(verdict):
        if one.name.startswith("series-"):
            assert f"`{one.name.removeprefix('series-')}`" in known["series-NAME"], one.name
        else:
            assert f"`{', '.join(one.columns)}`" in known[one.name], one.name


def test_docs_name_no_file_that_is_not_written() -> None:
    """Each documented file belongs to a run, a sweep or a matrix."""
    written = {one.name for one in (*raw_tables(verdicts.passed()), *raw_tables(sweep_verdicts.passed()))}
    assert set(documented()) <= written | {"series-NAME", "cells"}


def test_values_are_not_rounded() -> None:
    """A table holds the values of verdict.json."""
    run = verdicts.measurements()
    servers = table(verdicts.passed(), "servers")
    column = servers.columns.index("p99_ms")
    assert [row[column] for row in servers.rows] == [server.p99_ms for server in run.servers]
    latencies = table(verdicts.passed(), "latencies")
    assert latencies.rows[0][latencies.columns.index("p99_low_ms")] == run.latency.p99_low_ms


def test_a_series_has_a_row_for_each_second_and_a_column_for_each_curve() -> None:
    """A second without a value is an empty cell."""
    found = table(verdicts.passed(), "series-latency")
    assert found.columns == ("at_s", "p50_ms", "p95_ms", "p99_ms")
    at_44 = next(row for row in found.rows if row[0] == 44)
    assert at_44[1:] == (None, None, None)
    assert table(verdicts.passed(), "series-percentiles").columns == ("share", "delivery_ms", "completion_ms")


def test_no_name_of_a_recording_names_a_path() -> None:
    """The harness names the file itself. If a curve is shorter than its axis, the missing cells are empty."""
    short = Series(x_label="", y_label="ms", x=(0.0, 1.0), lines={"=x": (1.0,)})
    found = raw_tables(replace(verdicts.empty(), series={"../../etc": short}))
    assert [one.name for one in found] == ["findings", "series-0"]
    assert found[1].rows == ((0.0, 1.0), (1.0, None))


def test_what_was_not_measured_has_no_file() -> None:
    """A run without measurements has only the table of its findings."""
    assert [one.name for one in raw_tables(verdicts.empty())] == ["findings"]


def test_a_sweep_has_a_row_for_each_run() -> None:
    """The name of a nested measurement begins with the name of its field."""
    sweep = sweep_verdicts.passed()
    found = table(sweep, "runs")
    assert sweep.sweep is not None
    assert len(found.rows) == len(sweep.sweep.runs)
    assert {"servers", "latency_p99_ms", "broker_cpu_cores"} <= set(found.columns)
    named = {field.name for field in fields(SweepRun)}
    assert all(any(column == name or column.startswith(f"{name}_") for name in named) for column in found.columns)
