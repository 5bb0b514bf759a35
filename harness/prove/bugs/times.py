"""Late deliveries, late answers, stopped servers: what the percentiles must show and must not show."""

from harness.model.finding import Verdict
from harness.model.proof import Place
from harness.prove.bugs.red import FAIL, PASS, UNKNOWN
from harness.prove.demand import Ends, Measures, SafetyIs, Says
from harness.prove.planted_bug import PlantedBug
from harness.prove.trials import OnTheWay, SmallLoad

MANY = "harness.prove.way.many_deliveries:"
SPARSE = SmallLoad(clients=120, audience=3, rate_hz=120, duration_s=20)
"""Three messages a second in each channel, so that a late message does not delay the next."""
STEADY = SmallLoad(clients=24, audience=6, rate_hz=120, duration_s=30)
P99 = "latency_ms.p99"
NOTHING_RED = SafetyIs(red=frozenset())


def _p99_ms(verdict: Verdict) -> float | None:
    return verdict.run.latency.p99_ms if verdict.run else None


def _acknowledged_p50_ms(verdict: Verdict) -> float | None:
    return verdict.run.acknowledgement.p50_ms if verdict.run and verdict.run.acknowledgement else None


BUGS = (
    PlantedBug(
        name="late-2-percent",
        place=Place.WAY,
        planted="one message in 50 comes 150 ms late",
        trial=OnTheWay(bug=f"{MANY}Late", load=SPARSE, options={"every": 50, "late_ms": 150}),
        demands=(
            Says(check=P99, status=FAIL),
            Measures(what="P99 in ms", figure=_p99_ms, low=150, high=200),
            NOTHING_RED,
        ),
        alone=True,
    ),
    PlantedBug(
        name="late-half-percent",
        place=Place.WAY,
        planted="one message in 200 comes 150 ms late, which the P99 must not show",
        trial=OnTheWay(bug=f"{MANY}Late", load=SPARSE, options={"every": 200, "late_ms": 150}),
        # Whether the interval of so short a run ends below the limit depends on the machine: the figure must not show
        # them.
        demands=(
            Says(check=P99, status=(*PASS, *UNKNOWN)),
            Measures(what="P99 in ms", figure=_p99_ms, low=0, high=100),
            NOTHING_RED,
        ),
        alone=True,
    ),
    PlantedBug(
        name="freeze",
        place=Place.WAY,
        planted="the proxy stops all traffic for 300 ms every 5 s",
        trial=OnTheWay(bug=f"{MANY}Freeze", load=STEADY, options={"every_s": 5, "freeze_ms": 300}),
        demands=(
            Says(check=P99, status=FAIL),
            Measures(what="P99 in ms", figure=_p99_ms, low=150, high=330),
            NOTHING_RED,
        ),
        alone=True,
    ),
    PlantedBug(
        name="saturated",
        place=Place.WAY,
        planted="deliveries leave the proxy at half of the rate at which they arrive",
        trial=OnTheWay(
            bug=f"{MANY}Saturated",
            load=SmallLoad(rate_hz=160, duration_s=5),
            options={"pause_ms": 50},
        ),
        demands=(Says(check="delivery-rate", status=FAIL), Says(check=P99, status=FAIL), NOTHING_RED),
        alone=True,
    ),
    PlantedBug(
        name="answers-late",
        place=Place.WAY,
        planted="every answer comes 300 ms late; deliveries do not wait for it",
        trial=OnTheWay(
            bug="harness.prove.way.answers:AnswersLate",
            load=SmallLoad(rate_hz=120, duration_s=6),
            options={"late_ms": 300},
        ),
        demands=(
            Ends(status=PASS),
            Measures(what="P50 of acknowledgements in ms", figure=_acknowledged_p50_ms, low=300, high=330),
            Measures(what="P99 of deliveries in ms", figure=_p99_ms, low=0, high=100),
        ),
        alone=True,
    ),
)
