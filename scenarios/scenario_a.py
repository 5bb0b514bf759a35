"""Scenario A: broadcast across four servers."""

from harness.model.expectation import Expectation
from harness.model.scenario import Load, Scenario

SCENARIO = Scenario(
    name="scenario-a",
    title="Multi-server broadcast",
    claim=(
        "A message posted to any of 4 servers reaches every subscribed client of all servers exactly once and in order, "
        "with a P99 below 100 ms from the intended time of the post to its receipt."
    ),
    load=Load(servers=4, clients=10_000, rate_hz=1_000, duration_s=60, audience="all", warm_up_s=5),
    smoke=Load(servers=4, clients=200, rate_hz=100, duration_s=5, audience=20, warm_up_s=1),
    expectations=(Expectation(measure="latency_ms", statistic="p99", limit_ms=100),),
)
