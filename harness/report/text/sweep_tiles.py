"""The key figures of a sweep."""

from harness.model.finding import Verdict
from harness.report.text.lookup import part, value
from harness.report.text.quantities import SPACE, UNKNOWN, count, milliseconds
from harness.report.text.tile import Tile


def sweep_tiles(verdict: Verdict) -> tuple[Tile, ...]:
    """Empty for the verdict of a single run."""
    sweep = part(verdict.measurements, "sweep")
    if not sweep:
        return ()
    counts = sweep.get("server_counts")
    told_counts = ", ".join(map(count, counts)) if isinstance(counts, list) else UNKNOWN
    delivery = part(verdict.measurements, "delivery")
    lost = value(delivery, "lost")
    p99 = value(verdict.measurements, "latency_ms", "p99")
    amount, _, unit = milliseconds(p99).partition(SPACE)
    return (
        Tile(
            name="Servers",
            figure=told_counts,
            notes=(f"{count(value(sweep, 'clients_per_server'))} clients on each",),
        ),
        Tile(
            name="Deliveries",
            figure=count(value(delivery, "delivered")),
            notes=(f"of {count(value(delivery, 'expected'))} expected, over all runs", f"{count(lost)} lost"),
            status="" if lost is None else "fail" if lost else "pass",
        ),
        Tile(name="Highest P99 of a run", figure=amount, unit=unit),
        Tile(
            name="Most clients at once",
            figure=count(verdict.plan.clients),
            notes=(f"{count(verdict.plan.servers)} servers",),
        ),
    )
