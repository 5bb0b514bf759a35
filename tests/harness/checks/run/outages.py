"""Hand-made recordings with an outage, for the tests of checks that apply to runs with faults."""

from collections.abc import Mapping

from harness.model.expectation import Expectation
from harness.model.fault import Fault, FaultKind, Moment, Target, Unit
from harness.model.finding import Verdict
from harness.model.measurements.recovery import Recovery
from harness.recording import format as layout
from tests.harness.recordings import MS, START_NS, HandMade, finding, measured

OUTAGE_MS = (995.0, 1995.0)
SUBSCRIBED_AGAIN = [(layout.UP, -5.0), (layout.SUBSCRIBED, -4.0), (layout.DOWN, 996.0), (layout.UP, 1996.0)]

HIT = {
    Target.BROKER: ("broker",),
    Target.DATABASE: ("database",),
    Target.SERVER: ("server-1",),
    Target.SERVERS: ("server-1", "server-2"),
    Target.CLIENTS: ("client-0",),
    Target.LINK: ("server-1_database",),
    Target.LINKS: ("server-2_server-1",),
}


def broken(
    target: Target = Target.BROKER, kind: FaultKind = FaultKind.STOP, *parts: str, recovery: str = "automatic"
) -> HandMade:
    """Three seconds of 100 messages/s. In the second of them the target is broken; no delivery is lost."""
    until = Moment(unit=Unit.AFTER, value=1)
    fault = Fault(
        kind=kind, target=target, at=Moment(unit=Unit.SECOND, value=1), until=until, parts=parts or HIT[target]
    )
    wish = Expectation(measure="live_latency_ms", statistic="p99", limit_ms=100)
    made = HandMade(
        clients=2,
        outage_ms=OUTAGE_MS,
        changes={"faults": (fault,), "recovery": recovery, "expectations": (wish,)},
        backplane={server: [*SUBSCRIBED_AGAIN, (layout.SUBSCRIBED, 1997.0)] for server in range(2)},
    )
    for message in range(300):
        away = target is Target.BROKER and 100 <= message < 200
        made.post(latency_ms=150 if away else 5)
        if away:
            made.recovered.add(message)
    return made


def lasting(seconds: int, target: Target = Target.BROKER, kind: FaultKind = FaultKind.STOP, *parts: str) -> HandMade:
    """Four seconds of load, then an outage of ``seconds`` seconds, then one more second. No delivery is lost."""
    made = broken(target, kind, *parts)
    end_ms = 3_995.0 + 1_000 * seconds
    made.outage_ms = (3_995.0, end_ms)
    for rows in made.backplane.values():
        rows[2:] = [(layout.DOWN, 3_996.0), (layout.UP, end_ms + 1), (layout.SUBSCRIBED, end_ms + 2)]
    made.posts, made.deliveries, made.frames, made.recovered = [], [], [], set()
    for message in range(500 + 100 * seconds):
        away = target is Target.BROKER and 400 <= message < 400 + 100 * seconds
        made.post(latency_ms=150 if away else 5)
        if away:
            made.recovered.add(message)
    return made


def recovered(verdict: Verdict) -> Recovery:
    found = measured(verdict).recovery
    assert found is not None
    return found


def value(verdict: Verdict, check: str, name: str) -> object:
    """One of the values that a finding measured."""
    found = finding(verdict, check).measured
    assert isinstance(found, Mapping)
    return found[name]


def session(
    client: int, *, ended_ms: float, subscribed_ms: float, position: int = 0, close_code: int = 1006
) -> tuple[int, ...]:
    subscribed = START_NS + int(subscribed_ms * MS) if subscribed_ms is not None else 0
    return (client, 0, close_code, subscribed - 1, subscribed, position, START_NS + int(ended_ms * MS))
