"""Curves of the latency of each server."""

from pathlib import Path

import pytest

from harness.checks.run import latency
from harness.model.finding import Verdict
from tests.harness.recordings import HandMade


def verdict_of(folder: Path, servers: int) -> Verdict:
    """400 messages over 4 s; each second is 10 ms slower than the one before."""
    run = HandMade(servers=servers, changes={"duration_s": 4.0})
    for number in range(400):
        run.post(0, latency_ms=10 * (1 + number // 100))
    return run.verdict(folder)


def test_each_server_has_a_curve_of_its_own(tmp_path: Path) -> None:
    """The P99 of the deliveries to its clients, by second of the intended time."""
    curve = verdict_of(tmp_path, 2).series["server_latency"]
    assert curve.x == (0.0, 1.0, 2.0, 3.0)
    assert set(curve.lines) == {"server-1", "server-2"}
    assert list(curve.lines.values()) == [(10.0, 20.0, 30.0, 40.0)] * 2


def test_one_server_has_no_curve_beside_that_of_all(tmp_path: Path) -> None:
    """It would be the same curve."""
    found = verdict_of(tmp_path, 1).series
    assert "latency" in found
    assert not {"server_latency", "server_cpu", "server_memory"} & set(found)


def test_many_servers_over_a_long_time_have_wider_slices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tables of all servers stay as small as SERVER_GROUPS_AT_MOST says; the axis is in seconds all the same."""
    monkeypatch.setattr(latency, "SERVER_GROUPS_AT_MOST", 4)
    curve = verdict_of(tmp_path, 2).series["server_latency"]
    assert curve.x == (0.0, 2.0)
    assert curve.lines["server-1"] == (20.0, 40.0)
