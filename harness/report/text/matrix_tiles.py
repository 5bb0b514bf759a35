"""The key figures of a matrix."""

from harness.model.finding import Verdict
from harness.report.text.quantities import SPACE, count, milliseconds
from harness.report.text.tile import Tile


def matrix_tiles(verdict: Verdict) -> tuple[Tile, ...]:
    """Empty for every other verdict."""
    matrix = verdict.matrix
    if matrix is None:
        return ()
    delivery = matrix.delivery
    run = [cell for cell in matrix.cells if cell.run]
    fastest = min(
        (one for one in matrix.systems if one.p99_ms),
        key=lambda one: one.p99_ms.value if one.p99_ms else 0.0,
        default=None,
    )
    amount, _, unit = milliseconds(fastest.p99_ms.value if fastest and fastest.p99_ms else None).partition(SPACE)
    return (
        Tile(name="Systems", figure=count(len(matrix.systems)), notes=(f"{count(len(run))} cells were run",)),
        Tile(
            name="Deliveries",
            figure=count(delivery.delivered),
            notes=(f"of {count(delivery.expected)} expected, over all cells", f"{count(delivery.lost)} lost"),
            status="fail" if delivery.lost else "pass" if delivery.expected and not delivery.undelivered else "",
        ),
        Tile(
            name="Lowest P99",
            figure=amount,
            unit=unit,
            notes=(fastest.system, matrix.latency_scenario) if fastest else ("not measured",),
        ),
        Tile(
            name="Acknowledged, not stored",
            figure=count(sum(one.not_stored for one in matrix.systems)),
            notes=("messages, over all cells",),
        ),
    )
