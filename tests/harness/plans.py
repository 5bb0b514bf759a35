"""Small, valid plans for tests. Every number can be changed."""

from typing import Any

from harness.model.expectation import Expectation
from harness.model.plan import Calibration, Need, Plan
from harness.model.scenario import Size
from harness.planning.placement import channel_count

CALIBRATION = Calibration(per_write_s=25e-6, per_frame_s=1.8e-6, per_post_s=500e-6, per_hint_s=25e-6)


def a_plan(**changes: Any) -> Plan:
    """A plan of 2 servers, 4 clients in channels of 2, and 10 messages/s for 1 s. ``channels`` follows from the other
    numbers."""
    values: dict[str, Any] = {
        "scenario": "scenario-a",
        "title": "Multi-server broadcast",
        "claim": "every message reaches every client",
        "servers": 2,
        "clients": 4,
        "rate_hz": 10.0,
        "audience": 2,
        "asked_audience": 2,
        "duration_s": 1.0,
        "warm_up_s": 0.0,
        "text_bytes": 96,
        "workers": 1,
        "size": Size.SMOKE,
        "environment": "embedded",
        "backplane": "redis",
        "write_path": "db-first",
        "seed": 1,
        "run_id": "rtest0000",
        "expectations": (Expectation(measure="latency_ms", statistic="p99", limit_ms=100.0),),
        "reductions": (),
        "need": Need(
            cores=0.1, memory_bytes=10**9, descriptors_per_process=1000, ports_per_server=1000, disk_bytes=10**8
        ),
        "calibration": CALIBRATION,
        "forced": False,
        "command": ("run", "scenario-a", "--size", "smoke"),
    } | changes
    values["audience"] = min(values["audience"], values["clients"])
    return Plan(channels=channel_count(values["clients"], values["audience"]), **values)
