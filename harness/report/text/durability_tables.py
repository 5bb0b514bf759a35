"""The tables of durability: how much later than the delivery messages were stored, and the losses."""

from harness.model.measurements.durability import Durability
from harness.report.text.quantities import count, formatted, heading, milliseconds, seconds
from harness.report.text.table import Cell, Table, figures, text


def lags(measured: Durability | None) -> Table | None:
    """None if the trace has no time of storage of any message."""
    named = (
        ()
        if measured is None
        else (
            ("Durability lag", "first written to a socket → stored; below zero where COMMIT came first", measured.lag),
            ("Persist", "published → stored", measured.persist),
        )
    )
    lines = tuple(
        (
            Cell(text=name, lines=(meaning,)),
            *(figures(milliseconds(at_ms)) for at_ms in (found.p50_ms, found.p99_ms, found.max_ms)),
            figures(count(found.count)),
        )
        for name, meaning, found in named
        if found is not None
    )
    columns = ("Lag", "P50", "P99", "Max", "Messages")
    return Table(caption="Time from delivery to storage", columns=columns, rows=lines) if lines else None


def not_stored_at(measured: Durability | None) -> Table | None:
    """The hop at which acknowledged messages that are missing in the database were lost."""
    lines = tuple(
        (text(heading(lost.hop)), figures(count(lost.messages), status="fail"))
        for lost in (measured.not_stored_at if measured else ())
    )
    columns = ("Not stored at", "Messages")
    caption = "Where acknowledged messages were lost for the database"
    return Table(caption=caption, columns=columns, rows=lines) if lines else None


def losses(measured: Durability | None) -> Table | None:
    """Expected and found losses, for each server that was killed."""
    lines = tuple(
        (
            text(loss.server),
            figures(seconds(loss.killed_s)),
            figures(f"{formatted(loss.rate_hz)}/s"),
            figures(seconds(loss.lag_s)),
            figures(f"{formatted(loss.expected)} ({formatted(loss.expected_low)} to {formatted(loss.expected_high)})"),
            figures(count(loss.found), status="fail" if loss.found else ""),
        )
        for loss in (measured.losses if measured else ())
    )
    columns = ("Killed", "At", "Its rate", "Time since its last COMMIT", "Expected: rate × time (95 %)", "Found")
    caption = "Acknowledged messages that died with a server"
    return Table(caption=caption, columns=columns, rows=lines) if lines else None
