"""Scenario D: a server dies while PostgreSQL is frozen; messages that were acknowledged and not stored are lost."""

from harness.model.expectation import Expectation
from harness.model.fault import Fault, FaultKind, Moment, Target, Unit
from harness.model.scenario import Load, Scenario

SCENARIO = Scenario(
    name="scenario-d",
    title="Write-behind loss: a server dies while PostgreSQL is frozen",
    claim=(
        "PostgreSQL is frozen for 2 s, and a server is killed 1 s after the freeze began. Every acknowledged or "
        "delivered message is in the database. DB-first keeps this promise, because it does not acknowledge during the "
        "freeze. Broker-first loses the messages that the killed server had not stored: its rate times the time since "
        "its last COMMIT."
    ),
    load=Load(servers=4, clients=2_000, rate_hz=400, duration_s=12, audience=20, warm_up_s=2),
    smoke=Load(servers=2, clients=20, rate_hz=200, duration_s=7, audience=10, warm_up_s=1),
    expectations=(Expectation(measure="live_latency_ms", statistic="p99", limit_ms=100),),
    faults=(
        Fault(
            kind=FaultKind.PAUSE,
            target=Target.DATABASE,
            at=Moment(unit=Unit.SECOND, value=1.5),
            until=Moment(unit=Unit.AFTER, value=2.0),
        ),
        Fault(
            kind=FaultKind.KILL,
            target=Target.SERVER,
            at=Moment(unit=Unit.SECOND, value=2.5),
            until=Moment(unit=Unit.AFTER, value=1.5),
        ),
    ),
)
