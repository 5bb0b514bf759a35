"""The tables of a matrix."""

from harness.model.backplane import BACKPLANES
from harness.model.finding import Status
from harness.model.measurements.matrix_measurements import CellFigures, MatrixMeasurements, Spread, SystemFigures
from harness.recording.format import REPORT, RUNS
from harness.report.text.criteria import STATUS_WORDS
from harness.report.text.quantities import SPACE, UNKNOWN, count, figure, formatted, milliseconds, size
from harness.report.text.table import Cell, Table, figures, text

SETTINGS_NAMED = 3
"""Changed settings that a cell names; verdict.json has all of them."""


def decision_matrix(matrix: MatrixMeasurements | None) -> Table | None:
    """One row per system: latency, durability, operation and scaling, in figures."""
    if matrix is None or not matrix.systems:
        return None
    columns = (
        "System",
        "Latency",
        "The backplane alone",
        "Acknowledgement",
        "Durability",
        "Recovery",
        "To operate",
        "Scaling",
    )
    return Table(
        caption=f"Every system, measured; latencies of {matrix.latency_scenario}",
        columns=columns,
        rows=tuple(_system_row(one) for one in matrix.systems),
    )


def _system_row(one: SystemFigures) -> tuple[Cell, ...]:
    title = BACKPLANES.get(one.backplane).title
    return (
        Cell(text=one.system, lines=(title, f"{one.passed} of {one.cells} cells passed")),
        Cell(
            text=f"P99 {_ms(one.p99_ms)}",
            lines=(f"P50 {_ms(one.p50_ms)}", f"P95 {_ms(one.p95_ms)}"),
        ),
        Cell(text=f"P50 {_ms(one.fan_out_p50_ms)}", lines=(f"P99 {_ms(one.fan_out_p99_ms)}",)),
        Cell(text=f"P99 {_ms(one.ack_p99_ms)}"),
        _durability(one),
        _recovery(one.recovery_s),
        _operations(one),
        _scaling(one),
    )


def _ms(found: Spread | None) -> str:
    if found is None:
        return UNKNOWN
    if found.low == found.value == found.high:
        return milliseconds(found.value)
    return f"{milliseconds(found.value)} ({figure(found.low)} to {figure(found.high)})"


def _durability(one: SystemFigures) -> Cell:
    if not one.expected:
        return Cell(text="not measured", status="unknown")
    lines = [f"of {count(one.expected)} deliveries", f"{count(one.not_stored)} acknowledged, not stored"]
    if one.undelivered:
        lines.append(f"{count(one.undelivered)} undelivered at the end")
    bad = one.lost or one.not_stored
    return Cell(text=f"{count(one.lost)} lost", lines=tuple(lines), status="fail" if bad else "pass")


def _recovery(found: Spread | None) -> Cell:
    """Below zero: the servers had read everything from the database before the broken part was back."""
    if found is None:
        return Cell(text=UNKNOWN)
    lines = ("from the database, before the broken part was back",) if found.value < 0 else ()
    return Cell(text=f"{figure(found.value)}{SPACE}s", lines=lines)


def _operations(one: SystemFigures) -> Cell:
    facts = one.operations
    lines = [f"{count(facts.ports)} more ports, {count(facts.links)} links at {count(facts.servers)} servers"]
    if facts.settings:
        named = ", ".join(facts.settings[:SETTINGS_NAMED])
        more = len(facts.settings) - SETTINGS_NAMED
        lines.append(f"{count(len(facts.settings))} settings changed: {named}{f' and {more} more' if more > 0 else ''}")
    if facts.memory_bytes:
        lines.append(f"{size(facts.memory_bytes)} of memory")
    if facts.start_s is not None:
        lines.append(f"{figure(facts.start_s)}{SPACE}s until the cluster was ready")
    if facts.adapter_lines:
        lines.append(f"{count(facts.adapter_lines)} lines of adapter")
    return Cell(
        text=f"{count(facts.processes)} more {'process' if facts.processes == 1 else 'processes'}", lines=tuple(lines)
    )


def _scaling(one: SystemFigures) -> Cell:
    if not one.cost:
        return Cell(text=UNKNOWN)
    lines = tuple(
        f"{figure(at.cpu_us_per_delivery.value)}{SPACE}µs per delivery at {count(at.servers)} servers"
        for at in one.cost
    )
    return Cell(text=f"{count(one.cost[-1].servers)} servers", lines=lines)


def order_table(matrix: MatrixMeasurements | None) -> Table | None:
    """Neighbours by P99, and whether their ranges overlap."""
    rows = tuple(
        (
            text(pair.faster),
            text("is faster than" if pair.separated else "is not separated from"),
            text(pair.slower),
        )
        for pair in (matrix.order if matrix else ())
    )
    return Table(caption="In the order of the P99", columns=("System", "", "System"), rows=rows) if rows else None


def cell_table(matrix: MatrixMeasurements | None) -> Table | None:
    """Every cell; those that cannot run here have their reason."""
    rows = tuple(_cell_row(cell) for cell in (matrix.cells if matrix else ()))
    columns = ("Cell", "Verdict", "Servers", "P50", "P99", "Deliveries", "Lost", "µs per delivery", "Broker", "Why")
    return Table(caption="Every cell, each with its own report", columns=columns, rows=rows) if rows else None


def _cell_row(cell: CellFigures) -> tuple[Cell, ...]:
    delivery, latency = cell.delivery, cell.latency
    return (
        Cell(text=f"{cell.system}, {cell.scenario}", lines=(f"repetition {cell.repetition}",), link=link(cell)),
        _status(cell),
        figures(count(cell.servers)),
        figures(milliseconds(latency.p50_ms if latency else None)),
        figures(milliseconds(latency.p99_ms if latency else None)),
        figures(count(delivery and delivery.delivered)),
        figures(count(delivery and delivery.lost), status="fail" if delivery and delivery.lost else ""),
        figures(figure(cell.cpu_us_per_delivery)),
        figures(formatted(cell.broker_cores, "broker_cores")),
        text(cell.because),
    )


def _status(cell: CellFigures) -> Cell:
    if not cell.run:
        return Cell(text="not run", status="")
    return Cell(text=STATUS_WORDS[cell.status], status=Status(cell.status).value)


def link(cell: CellFigures) -> str:
    """The cell's own report, below this one. A name that the harness would not give is not linked."""
    name = cell.run
    return f"{RUNS}/{name}/{REPORT}" if name.replace("-", "").isalnum() and name.isascii() else ""
