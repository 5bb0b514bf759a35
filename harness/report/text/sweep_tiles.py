"""The key figures of a sweep."""

from harness.model.finding import Verdict
from harness.report.text.quantities import SPACE, count, milliseconds
from harness.report.text.tile import Tile


def sweep_tiles(verdict: Verdict) -> tuple[Tile, ...]:
    """Empty for the verdict of a single run."""
    sweep = verdict.sweep
    if sweep is None:
        return ()
    delivery = sweep.delivery
    amount, _, unit = milliseconds(sweep.latency.p99_ms if sweep.latency else None).partition(SPACE)
    return (
        Tile(
            name="Servers",
            figure=", ".join(map(count, sweep.server_counts)),
            notes=(f"{count(sweep.clients_per_server)} clients on each",),
        ),
        Tile(
            name="Deliveries",
            figure=count(delivery.delivered),
            notes=(f"of {count(delivery.expected)} expected, over all runs", f"{count(delivery.lost)} lost"),
            status="fail" if delivery.lost else "pass" if delivery.expected else "",
        ),
        Tile(name="Highest P99 of a run", figure=amount, unit=unit),
        Tile(
            name="Most clients at once",
            figure=count(verdict.plan.clients),
            notes=(f"{count(verdict.plan.servers)} servers",),
        ),
    )
