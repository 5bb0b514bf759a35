"""Made-up, complete verdicts of runs with a fault, for tests. Each part can be removed. Nothing here was measured."""

from dataclasses import replace
from typing import Any

from harness.model.expectation import Expectation
from harness.model.fault import Ending, Fault, FaultKind, FaultTimes, Moment, Target, Unit
from harness.model.finding import Series, Verdict
from harness.model.measurements.recovery import PostCounts, PostsAround, Reconnections, Recovery, ServerRecovery
from harness.model.plan import Plan
from tests.harness.report import verdicts

BROKER = Fault(
    kind=FaultKind.STOP,
    target=Target.BROKER,
    at=Moment(unit=Unit.SHARE, value=0.5),
    until=Moment(unit=Unit.POSTED),
    parts=("broker",),
)
LIVE = Expectation(measure="live_latency_ms", statistic="p99", limit_ms=100.0)
_ORIGIN_NS = 12_000_000_000


def _event(at_s: float, event: str, **values: Any) -> dict[str, Any]:
    return {"at_ns": _ORIGIN_NS + int(at_s * 1e9), "wall": "2026-01-01T00:00:12.000Z", "event": event} | values


EVENTS: list[dict[str, Any]] = [
    _event(-8, "phase", name="start"),
    _event(-2.5, "schedule", start_ns=_ORIGIN_NS - 2_000_000_000),
    _event(-2.4, "phase", name="warm-up"),
    _event(0, "phase", name="measure"),
    _event(5, "fault", what="stop broker", fault=0),
    _event(
        5.02,
        "fault-done",
        what="stop broker",
        fault=0,
        seen={"broker": {"at_ns": 17_020_000_000, "ended": "exit code 0"}},
    ),
    _event(10, "phase", name="recover"),
    _event(10.2, "heal", what="start broker", fault=0),
    _event(10.4, "heal-done", what="start broker", fault=0, seen={"broker": {"at_ns": 22_400_000_000}}),
    _event(10.5, "phase", name="drain"),
    _event(12.5, "drained", how="complete"),
    _event(14, "ended", how="complete", why=""),
]
BY_HAND = [
    *EVENTS[:-3],
    _event(11.4, "rebroadcast", what="rebroadcast"),
    _event(11.6, "rebroadcast-done", servers={"server-1": 500, "server-2": 500}),
    *EVENTS[-3:],
]


def plan(**changes: Any) -> Plan:
    """Scenario B with the size for a two-core machine."""
    values: dict[str, Any] = {
        "scenario": "scenario-b",
        "title": "Durability: Redis dies",
        "claim": "Redis stops after half of 1,000 messages. Every message is acknowledged as fast as before "
        "and stored, and once Redis is back every client of both servers has all of them, in order, each once.",
        "servers": 2,
        "clients": 200,
        "rate_hz": 100.0,
        "audience": 200,
        "duration_s": 10.0,
        "warm_up_s": 2.0,
        "expectations": (LIVE,),
        "reductions": (),
        "command": ("run", "scenario-b"),
        "faults": (BROKER,),
    }
    return verdicts.a_large_plan(**values | changes)


def at_ns(at_s: float) -> int:
    """A time on the report's axis, in nanoseconds of the harness's clock."""
    return _ORIGIN_NS + round(at_s * 1e9)


def times(begun_s: float, back_s: float | None, *endings: tuple[str, str], **moments_s: float) -> FaultTimes:
    """The times of a fault, in seconds of the report's axis. ``endings`` holds (part, how) for each process that
    ended."""
    return FaultTimes(
        begun_ns=at_ns(begun_s),
        back_ns=None if back_s is None else at_ns(back_s),
        endings=tuple(Ending(part=part, how=how) for part, how in endings),
        **{name.removesuffix("_s") + "_ns": at_ns(moment_s) for name, moment_s in moments_s.items()},
    )


def recovery() -> Recovery:
    """Every part that a judge may give, except ``errors`` and ``rebroadcast``."""

    def posts(p50: float, p99: float, due: int = 500) -> PostCounts:
        return PostCounts(posted=due, acknowledged=due, ack_p50_ms=p50, ack_p99_ms=p99)

    return Recovery(
        origin_ns=_ORIGIN_NS,
        faults=(replace(BROKER, times=times(5.0, 10.4, ("broker", "exit code 0"), done_s=5.02, heal_s=10.2)),),
        posts=PostsAround(before=posts(4.1, 7.04), during=posts(4.2, 7.4), after=posts(4.0, 6.9, 0)),
        servers=(
            ServerRecovery(name="server-1", detected_s=0.012, resubscribed_s=0.051, backfilled_s=-0.2, recovered=500),
            ServerRecovery(name="server-2", detected_s=0.034, resubscribed_s=0.048, backfilled_s=-0.18, recovered=500),
        ),
        backfilled_s=-0.17,
        reconnected=Reconnections(clients=0),
    )


def outage(**changes: Any) -> Verdict:
    """The broker was away for 5.4 s, and every criterion was met. ``changes`` apply to the plan."""
    run = replace(
        verdicts.measurements(),
        recovery=recovery(),
        live_latency=verdicts.percentiles(6.1, 9.8, 14.2, 31.0, 100_000),
        recovered_latency=verdicts.percentiles(212.0, 460.0, 498.0, 512.0, 100_000),
        latency=verdicts.percentiles(31.0, 440.0, 490.0, 512.0, 200_000),
    )
    return replace(verdicts.passed(), plan=plan(**changes), run=run, series=series())


def recovering(verdict: Verdict, **parts: Any) -> Verdict:
    """``verdict`` with ``parts`` of its recovery replaced."""
    assert verdict.run is not None
    assert verdict.run.recovery is not None
    return replace(verdict, run=replace(verdict.run, recovery=replace(verdict.run.recovery, **parts)))


def series() -> dict[str, Series]:
    """Curves of twelve seconds: live deliveries until second 5, recovered ones from then on."""
    x = tuple(float(second) for second in range(-2, 10))

    def over_time(begin: float, end: float, **levels: float) -> Series:
        lines = {
            name: tuple(level * (1 + 0.1 * (at % 3)) if begin <= at < end else None for at in x)
            for name, level in levels.items()
        }
        return Series(x_label="seconds", y_label="ms", x=x, lines=lines)

    def whole(one: Series) -> Series:
        return replace(one, x=x, lines={name: values[3 : 3 + len(x)] for name, values in one.lines.items()})

    usual = {name: one if name == "percentiles" else whole(one) for name, one in verdicts.series().items()}
    return usual | {
        "live_latency": over_time(-2, 5, P50=6, P95=9, P99=13),
        "recovered_latency": over_time(5, 10, P50=200, P95=430, P99=480),
        "acknowledgement": over_time(-2, 10, P50=4, P95=5.5, P99=7),
    }
