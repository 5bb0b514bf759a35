"""Curves over time, from three samples and a few heartbeats."""

from pathlib import Path
from typing import Any

import numpy as np

from harness.checks.run.resource_curves import series
from harness.model.finding import Series
from harness.recording import format as layout
from tests.harness.checks.evidence.gathered import gathered
from tests.harness.hand_made_samples import START_NS
from tests.harness.recordings import HandMade

SECOND_NS = 1_000_000_000


def a_sample(second: float, **parts: Any) -> dict[str, Any]:
    return {"at_ns": START_NS + int(second * SECOND_NS), **parts}


def processes(**cpu_s: float) -> dict[str, dict[str, float]]:
    return {name.replace("_", "-"): {"cpu_s": value, "rss_bytes": 10.0} for name, value in cpu_s.items()}


def curves(folder: Path, *samples: dict[str, Any], **changes: Any) -> dict[str, Series]:
    run = HandMade()
    run.post(0)
    return series(gathered(run, folder, telemetry=samples, **{"heartbeats": {}} | changes))


def heartbeat(*rows: tuple[float, int]) -> Any:
    """Heartbeats from rows of (second, count), none of them late."""
    found = np.zeros(len(rows), layout.HEARTBEAT)
    found["at_ns"] = [START_NS + int(second * SECOND_NS) for second, _ in rows]
    found["count"] = [count for _, count in rows]
    return found


def test_one_sample_draws_nothing(tmp_path: Path) -> None:
    """A rate needs two samples."""
    assert curves(tmp_path) == {}
    assert curves(tmp_path, a_sample(0, processes=processes(server_1=1))) == {}


def test_the_time_counts_from_the_measured_window(tmp_path: Path) -> None:
    """A sample before the window has a negative time. The first sample has no rate and therefore no point."""
    found = curves(tmp_path, a_sample(-3), a_sample(-0.5), a_sample(2, machine={"steal_s": 1.0}))
    assert found == {}, "nothing was seen twice"
    samples = [a_sample(at, machine={"steal_s": at}) for at in (-3, -0.5, 2)]
    assert curves(tmp_path, *samples)["cpu"].x == (-0.5, 2.0)


def test_servers_are_one_curve_and_what_has_no_process_has_gaps(tmp_path: Path) -> None:
    """Two servers use 1 and 2 s in 2 s: 1.5 cores. The database is in only one sample."""
    samples = (
        a_sample(0, processes=processes(server_1=0, server_2=0)),
        a_sample(2, processes=processes(server_1=1, server_2=2, database=7)),
    )
    found = curves(tmp_path, *samples)
    assert found["cpu"].lines["servers"] == (1.5,)
    assert found["cpu"].lines["database"] == (None,)
    assert found["memory"].lines["servers"] == (20.0,)
    assert found["memory"].lines["database"] == (10.0,)
    assert found["memory"].lines["broker"] == (None,)
    assert found["server_cpu"].lines == {"server-1": (0.5,), "server-2": (1.0,)}
    assert set(found) == {"cpu", "memory", "server_cpu", "server_memory"}, "curves of nothing are left out"


def test_a_counter_that_began_anew_leaves_a_gap(tmp_path: Path) -> None:
    """The counter is 10, then 4 after a restart, then 8 two seconds later. The rate is unknown, then 2 per second; an
    unchanged counter gives 0."""
    found = curves(
        tmp_path,
        a_sample(0, broker={"commands": 10}),
        a_sample(1, broker={"commands": 4}),
        a_sample(3, broker={"commands": 8}),
        a_sample(4, broker={"commands": 8}),
    )
    assert found["broker_commands"].lines["broker"] == (None, 2.0, 0.0)


def test_two_samples_of_one_moment_give_no_rate(tmp_path: Path) -> None:
    """A rate cannot be divided by a time of zero."""
    samples = [a_sample(at, database={"wal_bytes": value}) for at, value in ((0, 0), (0, 5), (1, 9))]
    assert curves(tmp_path, *samples)["database_wal"].lines["database"] == (None, 4.0)


def test_heartbeats_give_posts_and_deliveries_per_second(tmp_path: Path) -> None:
    """Two workers are summed. The counts of the publisher are messages. A process without rows adds nothing."""
    beats = {
        "publisher": heartbeat((0, 0), (1, 10), (2, 30)),
        "worker-00": heartbeat((0, 0), (1, 100), (2, 300)),
        "worker-01": heartbeat((0, 0), (1, 1), (2, 2)),
        "worker-02": heartbeat(),
    }
    found = curves(tmp_path, a_sample(0), a_sample(1), heartbeats=beats)
    assert found["rate"].x == (0.0, 1.0, 2.0)
    assert found["rate"].lines == {"messages": (10.0, 20.0, 0.0), "deliveries": (101.0, 201.0, 0.0)}
    assert set(found["lag"].lines) == {"publisher", "worker-00", "worker-01"}
    empty = {"publisher": heartbeat()}
    assert curves(tmp_path, a_sample(0), a_sample(1), heartbeats=empty) == {}


def test_each_server_has_curves_of_its_own_beside_their_sum(tmp_path: Path) -> None:
    """CPU and memory are shown by server. Their sum is the curve of all servers."""
    run = HandMade(servers=2, changes={"duration_s": 4.0})
    run.post(0)
    series = run.verdict(tmp_path).series
    for name in ("cpu", "memory"):
        alone, together = series[f"server_{name}"], series[name]
        assert alone.x == together.x
        assert list(alone.lines) == ["server-1", "server-2"]
        sums = [sum(value or 0 for value in values) for values in zip(*alone.lines.values(), strict=True)]
        assert sums == list(together.lines["servers"])
