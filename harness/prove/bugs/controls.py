"""Controls without a bug: a correct server passes, a known latency is measured right, the harness can make more load
than needed."""

from harness.model.finding import Verdict
from harness.model.proof import Place
from harness.prove.bugs.red import PASS
from harness.prove.controls import P50, P99, Faithful, OnTarget
from harness.prove.demand import Agrees, Ends, SafetyIs, Says
from harness.prove.planted_bug import PlantedBug
from harness.prove.trials import SmallLoad

LOW = SmallLoad(clients=20, audience=5, rate_hz=50, duration_s=8)
HIGH = SmallLoad(clients=400, audience=20, rate_hz=200, duration_s=6)
"""4,000 deliveries/s"""
TWICE = SmallLoad(clients=400, audience=20, rate_hz=200, duration_s=5)
"""twice the clients and twice the rate of Scenario A at smoke size"""
WITHIN_MS = 1.0


def _latency(name: str) -> Agrees:
    """This percentile equals the target's own within a millisecond."""

    def figure(verdict: Verdict) -> float | None:
        return getattr(verdict.run.latency, name) if verdict.run else None

    return Agrees(what=f"{name[:3].upper()} in ms", figure=figure, target=name, within=WITHIN_MS)


def _constant(delay_ms: int, load: SmallLoad, word: str) -> PlantedBug:
    return PlantedBug(
        name=f"delay-{delay_ms}-{word}",
        place=Place.NOWHERE,
        planted=f"a target delivers {delay_ms} ms after each post, at {load.rate_hz * load.audience:,.0f} deliveries/s",
        trial=OnTarget(delay_ms=delay_ms, load=load),
        demands=(_latency(P50), _latency(P99), SafetyIs(red=frozenset())),
        alone=True,
    )


def faithful(number: int) -> PlantedBug:
    """One smoke run of Scenario A on the reference server."""
    return PlantedBug(
        name=f"faithful-{number:02}",
        place=Place.NOWHERE,
        planted="a correct server at smoke size",
        trial=Faithful(),
        demands=(Ends(status=PASS),),
        quick=number == 1,
        alone=True,
    )


BUGS = (
    *(_constant(delay_ms, load, word) for delay_ms in (20, 50) for load, word in ((LOW, "low"), (HIGH, "high"))),
    PlantedBug(
        name="twice-the-rate",
        place=Place.NOWHERE,
        planted="a trivial target gets twice the rate and twice the clients of Scenario A at smoke size",
        trial=OnTarget(delay_ms=0, load=TWICE),
        demands=(
            Says(check="throughput", status=PASS),
            Says(check="generator-cpu", status=PASS),
            SafetyIs(red=frozenset()),
        ),
        alone=True,
    ),
)
