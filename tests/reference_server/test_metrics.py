from reference_server.metrics import Metrics


def test_metrics_are_prometheus_text() -> None:
    """Each metric has its help and its type before its values. Gauges are read for each request."""
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
