"""Which figures a matrix' measurements give, and what their summaries say."""

from harness.model.measurements.matrix_measurements import SystemFigures
from harness.report.plots.drawing import Drawing
from harness.report.plots.matrix_figures import matrix_drawings
from tests.harness.report.matrix_verdicts import a_matrix, a_system, a_verdict, cost, spread


def figures(*systems: SystemFigures) -> dict[str, Drawing]:
    return {drawing.name: drawing for drawing in matrix_drawings(a_verdict(a_matrix(*systems)))}


def test_a_verdict_without_a_matrix_has_no_figure() -> None:
    assert matrix_drawings(a_verdict(None)) == ()


def test_what_was_not_measured_has_no_figure() -> None:
    """Neither fan-out nor recovery nor cost; nothing sent, nothing stored or lost."""
    assert list(figures(a_system(expected=0))) == ["latency_by_system"]
    assert figures(a_system(p99_ms=None, p50_ms=None, expected=0)) == {}


def test_a_row_names_the_percentiles_that_its_system_has() -> None:
    """The unit stands at the end, without the note on its lines."""
    found = figures(a_system(), a_system("mesh", p99_ms=None))["latency_by_system"]
    assert found.summary == "redis: P50 15.9, P99 61.8, mesh: P50 15.9 (ms, scenario-a)"


def test_every_measured_kind_has_its_figure() -> None:
    full = a_system(
        fan_out_p50_ms=spread(0.5), recovery_s=spread(2), cost=cost((2, 20), (4, 30), (8, 45)), not_stored=3
    )
    found = figures(full)
    assert list(found) == [
        "latency_by_system",
        "fan_out_by_system",
        "recovery_by_system",
        "loss_by_write_path",
        "cost_by_servers",
    ]
    assert "redis: 20 at 2, 45 at 8 servers" in found["cost_by_servers"].summary


def test_losses_are_added_up_by_write_path() -> None:
    """3 and 4 of one path, 0 of the other; a path that sent nothing has lost nothing that is known."""
    found = figures(
        a_system("redis", not_stored=3),
        a_system("mesh", not_stored=4),
        a_system("nats", write_path="broker-first"),
        a_system("kafka", write_path="write-behind", expected=0),
    )
    summary = found["loss_by_write_path"].summary
    assert "db-first: not stored 7" in summary
    assert "broker-first: not stored 0" in summary
    assert "write-behind" not in summary


def test_one_count_of_servers_is_no_curve() -> None:
    assert "cost_by_servers" not in figures(a_system(cost=cost((4, 30))))
