"""The pilots of a run: the use of each size, and the decision."""

from harness.model.pilot import PilotStep
from harness.model.plan import Plan
from harness.report.text.quantities import count, figure, formatted, milliseconds
from harness.report.text.table import Cell, Table, figures, text


def pilot_table(plan: Plan) -> Table | None:
    """One row for each pilot, in order. None if there was none."""
    steps = plan.pilot.steps if plan.pilot else ()
    columns = ("Pilot", "Cores busy", "Busiest process", "Loop lag P99", "Send lateness P99", "Received", "Room")
    rows = tuple(_row(number, step) for number, step in enumerate(steps, 1))
    caption = f"Sizes that were tried before the run: {plan.pilot.settled}" if plan.pilot else ""
    return Table(caption=caption, columns=columns, rows=rows) if rows else None


def _row(number: int, step: PilotStep) -> tuple[Cell, ...]:
    load, found = step.load, step.readings
    size = f"{count(load.clients)} clients, audience {count(load.audience)}, {figure(load.rate_hz)} messages/s"
    return (
        Cell(text=str(number), lines=(size,)),
        Cell(
            text=f"{figure(found.busy_cores)} of {found.cores}",
            lines=(f"{figure(step.predicted_cores)} predicted",),
            numeric=True,
        ),
        text(f"{found.busiest} {figure(found.busiest_cores)}" if found.busiest else ""),
        figures(milliseconds(found.lag_p99_ms)),
        figures(milliseconds(found.send_late_p99_ms)),
        figures(formatted(None if found.received_share is None else 100 * found.received_share, "received_percent")),
        Cell(text="yes" if step.has_room else "no", lines=step.shortages),
    )
