import pytest

from reference_server.metrics import Metrics, Summary


def test_metrics_are_prometheus_text() -> None:
    """The help and the type of a metric come before its values. A gauge is read for each request."""
    metrics = Metrics()
    metrics.posts["ok"] += 2
    metrics.batches.add(7)
    metrics.gauges["connections"] = ("WebSocket connections.", lambda: 3)
    lines = metrics.text().splitlines()
    assert 'reference_server_posts_total{outcome="ok"} 2' in lines
    assert "reference_server_commit_batch_posts_sum 7.0" in lines
    assert lines[-3:] == [
        "# HELP reference_server_connections WebSocket connections.",
        "# TYPE reference_server_connections gauge",
        "reference_server_connections 3.0",
    ]
    assert all(
        line.startswith(("# HELP reference_server_", "# TYPE reference_server_", "reference_server_")) for line in lines
    )


def test_a_late_timer_stands_for_all_that_were_due_meanwhile() -> None:
    """The loop is stalled for 500 ms in every 6 s, and a timer is due every 0.1 s. An event at a random time then waits
    25 ms on average: (0.5 + 0.4 + … + 0.1) / 60. The late timer alone would give 9 ms."""
    lag = Summary()
    for _ in range(10):
        lag.add_late(0.5, 0.1)
        for _ in range(54):
            lag.add_late(0.0, 0.1)
    assert lag.count == 600
    assert lag.total / lag.count == pytest.approx(0.025)
