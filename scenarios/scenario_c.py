"""Scenario C: the same service on 2, 4, 8 and 16 servers."""

from harness.model.expectation import Expectation
from harness.model.scenario import Load, Scenario, Sweep

SCENARIO = Scenario(
    name="scenario-c",
    title="Horizontal scaling",
    claim=(
        "At every count from 2 to 16 servers with 10,000 clients each, every delivery arrives, with a P99 below 100 ms "
        "that does not grow with the number of servers. The cost of a message for the servers and Redis grows linearly "
        "with the number of servers, never quadratically."
    ),
    load=Load(servers=16, clients=160_000, rate_hz=1_000, duration_s=60, audience=100, warm_up_s=5),
    smoke=Load(servers=4, clients=80, rate_hz=100, duration_s=3, audience=10, warm_up_s=0.5),
    expectations=(Expectation(measure="latency_ms", statistic="p99", limit_ms=100),),
    sweep=Sweep(
        server_counts=(2, 4, 8, 16),
        clients_per_server=10_000,
        weak_rate_per_server_hz=250,
        smoke_counts=(2, 4),
        smoke_clients_per_server=20,
        smoke_weak_rate_per_server_hz=50,
    ),
)
