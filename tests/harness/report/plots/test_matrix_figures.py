"""Which figures a matrix has, and their descriptions in words."""

from harness.report.plots.drawing import Drawing
from harness.report.plots.matrix_figures import matrix_drawings
from tests.harness.report.matrix_verdicts import a_matrix, a_system, a_verdict, cost, spread


def drawn(*systems: object) -> dict[str, Drawing]:
    matrix = a_matrix(*systems)  # type: ignore[arg-type]  # systems
    return {drawing.name: drawing for drawing in matrix_drawings(a_verdict(matrix))}


def test_another_verdict_has_no_figure() -> None:
    """A matrix without measurements has no figure either."""
    assert matrix_drawings(a_verdict(None)) == ()
    assert drawn(a_system(p99_ms=None, p50_ms=None, expected=0)) == {}


def test_each_figure_has_the_systems_that_have_its_values() -> None:
    """A system without a recovery time is not in the figure of recovery times. A system with a recovery time of zero
    is."""
    found = drawn(
        a_system("redis", recovery_s=spread(0.0), fan_out_p99_ms=spread(2.0)),
        a_system("mesh", p99_ms=None, p50_ms=None),
    )
    assert set(found) == {"latency_by_system", "fan_out_by_system", "recovery_by_system", "loss_by_write_path"}
    assert found["latency_by_system"].summary == "redis: P50 15.9, P99 61.8 (ms, scenario-a)"
    assert found["fan_out_by_system"].summary == "redis: P99 2 (ms)"
    assert found["recovery_by_system"].summary.startswith("redis: recovery 0 (s, from the moment")
    assert all(one.png.startswith(b"\x89PNG") and one.group == "matrix" for one in found.values())


def test_losses_are_summed_by_write_path_over_what_was_run() -> None:
    """One write path lost 3 and 4 messages, the other lost none. A path that was not run is left out."""
    found = drawn(
        a_system("redis", write_path="broker-first", not_stored=3),
        a_system("nats", write_path="broker-first", not_stored=4),
        a_system("mesh"),
        a_system("memory", write_path="never-run", expected=0),
    )
    assert found["loss_by_write_path"].summary == (
        "broker-first: not stored 7, db-first: not stored 0 (messages, over all cells)"
    )


def test_cost_is_drawn_over_two_server_counts_or_more() -> None:
    """One server count alone makes no line. The description names both ends."""
    assert "cost_by_servers" not in drawn(a_system(cost=cost((2, 40.0))))
    found = drawn(a_system(cost=cost((2, 40.0), (4, 45.0), (8, 60.0))), a_system("mesh", cost=cost((2, 9.0))))
    assert found["cost_by_servers"].summary == "redis: 40 at 2, 60 at 8 servers (µs)"
