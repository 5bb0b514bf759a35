"""Verdict → the raw tables beside its report: values as they were measured, for a spreadsheet or a program.

A column's name ends in its unit. An empty cell: not measured.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import msgspec

from harness.model.finding import Finding, Series, Verdict
from harness.model.measurements.run_measurements import RunMeasurements
from harness.report.raw.column_names import column_name, share_of
from harness.report.text.file_name import plain_name
from harness.report.text.quantities import label

Value = str | int | float | bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RawTable:
    """One file, ``name`` without its ending; ``what`` says in a few words what is in it. ``rows`` are as long as
    ``columns``."""

    name: str
    what: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]

    def __post_init__(self) -> None:
        assert all(len(row) == len(self.columns) for row in self.rows), "every row fills every column"


def raw_tables(verdict: Verdict) -> tuple[RawTable, ...]:
    """Every table that ``verdict`` has rows for."""
    found = [_findings(verdict.findings)]
    if verdict.run is not None:
        found += _of_run(verdict.run)
    if verdict.sweep is not None:
        found.append(_members("runs", "each run of the sweep", verdict.sweep.runs))
    if verdict.matrix is not None:
        found.append(_members("cells", "each cell of the matrix", verdict.matrix.cells))
    found += [_curve(name, series, place) for place, (name, series) in enumerate(verdict.series.items())]
    return tuple(table for table in found if table.rows)


def _findings(findings: Iterable[Finding]) -> RawTable:
    columns = (
        "check",
        "kind",
        "status",
        "summary",
        "measured_json",
        "expected_json",
        "samples",
        "pairs",
        "confidence",
        "bias",
        "examples_json",
    )
    rows = tuple(
        (
            one.check,
            one.kind.value,
            one.status.value,
            one.summary,
            _json(one.measured),
            _json(one.expected),
            one.samples,
            one.pairs,
            one.confidence,
            one.bias.value if one.bias else None,
            _json(one.examples) if one.examples else None,
        )
        for one in findings
    )
    return RawTable(name="findings", what="the finding of each check", columns=columns, rows=rows)


def _of_run(run: RunMeasurements) -> list[RawTable]:
    latencies = {
        "delivery": run.latency,
        "live": run.live_latency,
        "recovered": run.recovered_latency,
        "completion": run.completion,
        "acknowledgement": run.acknowledgement,
        "send_late": run.send_late,
    }
    # Only the steps themselves: the other fields say what was left out.
    steps = {} if run.steps is None else {one.name: getattr(run.steps, one.name) for one in fields(run.steps)}
    phases = {} if run.delivery is None else {one.name: getattr(run.delivery, one.name) for one in fields(run.delivery)}
    return [
        _named("latencies", "percentiles of each kind of latency", "latency", latencies),
        _named("steps", "percentiles of each step of a message", "step", steps),
        _named("deliveries", "the outcomes of posts and deliveries, by phase", "phase", phases),
        _members("servers", "each server", run.servers),
        _members("workers", "each load worker", run.workers),
    ]


def _named(name: str, what: str, head: str, members: dict[str, Any]) -> RawTable:
    """A row for each member that is a measurement, its key first."""
    rows = [{head: key, **_flat(member)} for key, member in members.items() if is_dataclass(member)]
    return _table(name, what, rows)


def _members(name: str, what: str, members: Sequence[Any]) -> RawTable:
    return _table(name, what, [_flat(member) for member in members])


def _table(name: str, what: str, rows: Sequence[dict[str, Value]]) -> RawTable:
    columns = tuple(dict.fromkeys(key for row in rows for key in row))
    return RawTable(
        name=name, what=what, columns=columns, rows=tuple(tuple(row.get(key) for key in columns) for row in rows)
    )


def _flat(member: Any, prefix: str = "") -> dict[str, Value]:
    """The fields of a measurement; those of a measurement inside it have its name before theirs. Lists have files, or
    stay in verdict.json."""
    found: dict[str, Value] = {}
    for field in fields(member):
        value = getattr(member, field.name)
        if is_dataclass(value):
            found |= _flat(value, f"{prefix}{field.name}_")
        elif not isinstance(value, tuple):
            found[prefix + field.name] = str(value) if isinstance(value, str) else value
    return found


def _curve(name: str, series: Series, place: int) -> RawTable:
    """One row for each point of the axis; curves that are shorter than the axis end in empty cells."""
    quantiles = name == "percentiles"
    axis = [share_of(at) if quantiles else at for at in series.x]
    columns = ("share" if quantiles else "at_s", *(column_name(line, series.y_label) for line in series.lines))
    lines = [(*line, *(None,) * len(axis))[: len(axis)] for line in series.lines.values()]
    rows = tuple((at, *(line[index] for line in lines)) for index, at in enumerate(axis))
    what = "latency by the share of deliveries" if quantiles else f"{label(name)} over time"
    return RawTable(name=f"series-{plain_name(name, str(place))}", what=what, columns=columns, rows=rows)


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
