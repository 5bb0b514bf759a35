"""Latencies from the intended time, in recordings of a few messages, and the curves of these latencies."""

from pathlib import Path

import pytest

from harness.checks.run import latency
from harness.model.finding import Verdict
from harness.planning.arrivals import WARM_UP
from harness.recording import format as layout
from tests.harness.checks.run.outages import broken
from tests.harness.recordings import HandMade, measured


def test_completion_counts_messages_that_reached_their_whole_audience(tmp_path: Path) -> None:
    """Two messages are complete, after 5 and 9 ms. A third message reached only one of two clients."""
    run = HandMade()
    run.post(0)
    run.post(0, to=[0])
    run.deliver(1, 1, latency_ms=9)
    run.post(0, to=[0])
    found = measured(run.verdict(tmp_path))
    assert found.latency is not None
    assert (found.latency.count, found.latency.max_ms) == (5, 9.0)
    assert found.completion is not None
    assert (found.completion.count, found.completion.p50_ms, found.completion.max_ms) == (2, 5.0, 9.0)


def test_acknowledgements_are_of_what_was_acknowledged_and_sending_of_what_was_sent(tmp_path: Path) -> None:
    """Four posts were sent, each 1 ms late. One of them was refused after 50 ms and one was never answered. The warm-up
    is in neither figure."""
    run = HandMade()
    run.post(0, answered_ms=3)
    run.post(0, answered_ms=7)
    run.post(0, answered_ms=50, outcome=layout.REJECTED, stored=False, to=[])
    run.post(0, outcome=layout.INDETERMINATE, stored=False, to=[])
    run.post(0, outcome=layout.UNSENT, stored=False, to=[])
    run.post(0, answered_ms=90, phase=WARM_UP)
    found = measured(run.verdict(tmp_path))
    assert found.acknowledgement is not None
    assert (found.acknowledgement.count, found.acknowledgement.max_ms) == (2, 7.0)
    assert found.send_late is not None
    assert (found.send_late.count, found.send_late.max_ms) == (4, 1.0)


def test_without_a_fault_no_half_is_told_apart(tmp_path: Path) -> None:
    """Without a fault all deliveries are live. With a fault both halves are shown beside the whole."""
    run = HandMade()
    run.post(0)
    plain = measured(run.verdict(tmp_path))
    assert (plain.live_latency, plain.recovered_latency) == (None, None)
    faulty = measured(broken().verdict(tmp_path))
    assert faulty.live_latency is not None
    assert faulty.recovered_latency is not None
    assert faulty.latency is not None
    assert faulty.live_latency.count + faulty.recovered_latency.count == faulty.latency.count == 600


@pytest.mark.parametrize(("seconds", "known"), [(5, False), (6, True)])
def test_an_interval_takes_six_seconds(tmp_path: Path, seconds: int, known: bool) -> None:
    """With fewer blocks of one second there is no interval."""
    run = HandMade(clients=2)
    for message in range(100 * seconds):
        run.post(0, latency_ms=5 + message % 7)
    found = measured(run.verdict(tmp_path)).latency
    assert found is not None
    assert (found.p99_low_ms is not None) is known


def test_curves_have_a_point_for_each_second(tmp_path: Path) -> None:
    """200 messages at 100 per second: 5 ms in the first second, 8 ms in the second one."""
    run = HandMade(clients=2)
    for message in range(200):
        run.post(0, latency_ms=5 if message < 100 else 8)
    found = run.verdict(tmp_path).series
    assert found["latency"].x == (0.0, 1.0)
    assert found["latency"].lines["P99"] == (5.0, 8.0)
    assert found["completion"].lines["P50"] == (5.0, 8.0)
    assert "acknowledgement" not in found, "drawn where a fault may slow it"
    assert found["percentiles"].lines["delivery"][0] == pytest.approx(5.0, rel=0.01)
    assert found["percentiles"].lines["delivery"][-1] == pytest.approx(8.0, rel=0.01)


def test_a_second_without_a_delivery_is_a_gap(tmp_path: Path) -> None:
    """The second is drawn neither as zero nor with the value of its neighbour."""
    run = HandMade(clients=2)
    for message in range(300):
        run.post(0, to=[] if 100 <= message < 200 else None)
    assert run.verdict(tmp_path).series["latency"].lines["P50"] == (5.0, None, 5.0)


def test_a_run_without_deliveries_has_no_curve_of_latency(tmp_path: Path) -> None:
    """The run has no curve of percentiles either."""
    run = HandMade()
    run.post(0, to=[])
    found = run.verdict(tmp_path).series
    assert not {"latency", "completion", "percentiles"} & set(found)


def test_with_a_fault_acknowledgements_are_drawn(tmp_path: Path) -> None:
    """The acknowledgements took 3 ms in each of the three seconds."""
    assert broken().verdict(tmp_path).series["acknowledgement"].lines["P99"] == (3.0, 3.0, 3.0)


def test_the_curve_of_percentiles_ends_where_the_smaller_sample_ends(tmp_path: Path) -> None:
    """1,000 completions reach 3 nines, and 2,000 deliveries would reach more. The curve always reaches 1 nine, which is
    ten samples."""
    run = HandMade()
    for _ in range(1_000):
        run.post(0)
    assert run.verdict(tmp_path).series["percentiles"].x[-1] == 3.0
    few = HandMade()
    few.post(0)
    assert few.verdict(tmp_path).series["percentiles"].x[-1] == 1.0


def verdict_of(folder: Path, servers: int) -> Verdict:
    """400 messages over 4 s. Each second is 10 ms slower than the second before."""
    run = HandMade(servers=servers, changes={"duration_s": 4.0})
    for number in range(400):
        run.post(0, latency_ms=10 * (1 + number // 100))
    return run.verdict(folder)


def test_each_server_has_a_curve_of_its_own(tmp_path: Path) -> None:
    """The curve shows the P99 of the deliveries to the clients of the server, by second of the intended time."""
    curve = verdict_of(tmp_path, 2).series["server_latency"]
    assert curve.x == (0.0, 1.0, 2.0, 3.0)
    assert set(curve.lines) == {"server-1", "server-2"}
    assert list(curve.lines.values()) == [(10.0, 20.0, 30.0, 40.0)] * 2


def test_one_server_has_no_curve_beside_that_of_all(tmp_path: Path) -> None:
    """The two curves would be the same."""
    found = verdict_of(tmp_path, 1).series
    assert "latency" in found
    assert not {"server_latency", "server_cpu", "server_memory"} & set(found)


def test_many_servers_over_a_long_time_have_wider_slices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tables of all servers have at most SERVER_GROUPS_AT_MOST groups. The axis is still in seconds."""
    monkeypatch.setattr(latency, "SERVER_GROUPS_AT_MOST", 4)
    curve = verdict_of(tmp_path, 2).series["server_latency"]
    assert curve.x == (0.0, 2.0)
    assert curve.lines["server-1"] == (20.0, 40.0)
