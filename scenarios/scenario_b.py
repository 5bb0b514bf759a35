"""Scenario B: Redis dies, and no message is lost."""

from harness.model.expectation import Expectation
from harness.model.fault import Fault, FaultKind, Moment, Target, Unit
from harness.model.scenario import Load, Scenario

SCENARIO = Scenario(
    name="scenario-b",
    title="Durability: Redis dies",
    claim=(
        "Redis stops after half of 1,000 messages. Every message is acknowledged as fast as before, and stored. When "
        "Redis is back, every client of both servers gets all messages, in order, each once."
    ),
    load=Load(servers=2, clients=200, rate_hz=100, duration_s=10, audience="all", warm_up_s=2),
    smoke=Load(servers=2, clients=20, rate_hz=200, duration_s=4, audience="all", warm_up_s=1),
    expectations=(Expectation(measure="live_latency_ms", statistic="p99", limit_ms=100),),
    faults=(
        Fault(
            kind=FaultKind.STOP,
            target=Target.BROKER,
            at=Moment(unit=Unit.SHARE, value=0.5),
            until=Moment(unit=Unit.POSTED),
        ),
    ),
)
