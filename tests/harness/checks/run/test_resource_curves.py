"""Curves of what the processes did."""

from pathlib import Path

from tests.harness.recordings import HandMade


def test_each_server_has_curves_of_its_own_beside_their_sum(tmp_path: Path) -> None:
    """CPU and memory by server; their sum is the curve of all servers."""
    run = HandMade(servers=2, changes={"duration_s": 4.0})
    run.post(0)
    series = run.verdict(tmp_path).series
    for name in ("cpu", "memory"):
        alone, together = series[f"server_{name}"], series[name]
        assert alone.x == together.x
        assert list(alone.lines) == ["server-1", "server-2"]
        sums = [sum(value or 0 for value in values) for values in zip(*alone.lines.values(), strict=True)]
        assert sums == list(together.lines["servers"])
