"""The top of the report: the verdict in a word and a sentence, and the key figures."""

from dataclasses import dataclass

from harness.model.expectation import Measure, Statistic
from harness.model.finding import Status, Verdict
from harness.model.plan import Plan
from harness.report.text.criteria import STATUS_WORDS
from harness.report.text.matrix_tiles import matrix_tiles
from harness.report.text.outage import has_outage
from harness.report.text.quantities import SPACE, UNKNOWN, count, figure, in_unit, label, milliseconds, regrouped
from harness.report.text.reason import limit_ms, reason
from harness.report.text.sweep_tiles import sweep_tiles
from harness.report.text.tile import Tile


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    status: Status
    word: str
    sentence: str
    tiles: tuple[Tile, ...]


_LATENCIES: dict[Measure, str] = {
    "latency_ms": "delivery latency",
    "live_latency_ms": "live delivery latency",
    "completion_ms": "completion latency",
}


def headline(verdict: Verdict, network_path: str = "") -> Headline:
    """``network_path`` is the path of the measured connections; empty if it is not known."""
    return Headline(
        status=verdict.status,
        word=STATUS_WORDS[verdict.status],
        sentence=regrouped(reason(verdict)),
        tiles=sweep_tiles(verdict)
        or matrix_tiles(verdict)
        or (
            _deliveries(verdict),
            *_latencies(verdict),
            *_recovered(verdict),
            _rate(verdict),
            _cluster(verdict.plan, network_path),
            _audience(verdict.plan),
        ),
    )


def _deliveries(verdict: Verdict) -> Tile:
    """The figures are of the measured window, like the latencies beside it. The status is that of the finding ``lost``,
    which counts every phase."""
    run, status = verdict.run, _decided(verdict, "lost")
    if run is None or run.delivery is None:
        return Tile(name="Deliveries", figure=UNKNOWN, notes=("no delivery was counted",), status=status)
    measured = run.delivery.measured
    elsewhere = run.delivery.total.lost - measured.lost
    missing = [f"{count(measured.lost)} lost"]
    if elsewhere:
        missing.append(f"{count(elsewhere)} lost outside of the measured window")
    if measured.undelivered:
        missing.append(f"{count(measured.undelivered)} undelivered at the end")
    return Tile(
        name="Deliveries",
        figure=count(measured.delivered),
        notes=(f"of {count(measured.expected)} expected", *missing),
        status=status,
    )


def _latencies(verdict: Verdict) -> tuple[Tile, ...]:
    """P99 delivery latency and P99 completion latency; another statistic if the plan limits that one instead. If the
    plan limits live deliveries, only their latency, without the deliveries that a fault delayed."""
    limited = {wish.measure for wish in verdict.plan.expectations}
    usual = {"live_latency_ms"} if "live_latency_ms" in limited else {"latency_ms", "completion_ms"}
    return tuple(_latency(verdict, measure) for measure in _LATENCIES if measure in usual | limited)


def _latency(verdict: Verdict, measure: Measure) -> Tile:
    wanted = (wish.statistic for wish in verdict.plan.expectations if wish.measure == measure)
    statistic: Statistic = next(wanted, "p99")
    limit = limit_ms(verdict.plan, measure, statistic)
    percentiles = verdict.run.timed(measure) if verdict.run else None
    found = percentiles.at_ms(statistic) if percentiles else None
    notes = [f"limit {milliseconds(limit)}"] if limit is not None else []
    if percentiles and statistic == "p99" and percentiles.p99_low_ms is not None:
        low = milliseconds(percentiles.p99_low_ms)
        notes.append(
            f"{low} or more at 97.5{SPACE}%, no upper end"
            if percentiles.p99_high_ms is None
            else f"95{SPACE}% between {low} and {milliseconds(percentiles.p99_high_ms)}"
        )
    if found is None:
        notes.append("not measured")
    amount, _, unit = milliseconds(found).partition(SPACE)
    return Tile(
        name=f"{label(statistic)} {_LATENCIES[measure]}",
        figure=amount,
        unit=unit,
        notes=tuple(notes),
        status=_decided(verdict, f"{measure}.{statistic}"),
    )


def _decided(verdict: Verdict, check: str) -> str:
    """The status of the finding that decides about the figure; empty if none does."""
    return next((str(finding.status) for finding in verdict.findings if finding.check == check), "")


def _recovered(verdict: Verdict) -> tuple[Tile, ...]:
    """The deliveries that came late from the database, in a run with a fault."""
    found = verdict.run.recovered_latency if verdict.run else None
    if not has_outage(verdict) and not (found and found.count):
        return ()
    notes: tuple[str, ...]
    if found is None:
        notes = ("not measured",)
    elif not found.count:
        notes = ("every delivery came live",)
    else:
        notes = (f"P99 {milliseconds(found.p99_ms)}", "filled in from the database")
    return (Tile(name="Recovered deliveries", figure=count(found.count if found else None), notes=notes),)


def _rate(verdict: Verdict) -> Tile:
    plan, rates = verdict.plan, verdict.run.rates if verdict.run else None
    if rates is None or rates.messages_hz is None:
        notes = (f"planned: {in_unit(round(plan.deliveries_per_s), 'deliveries/s')}", "not measured")
        return Tile(name="Rate", figure=figure(_rounded(plan.rate_hz)), unit="messages/s", notes=notes)
    deliveries_hz = None if rates.deliveries_hz is None else round(rates.deliveries_hz)
    planned = f"planned {in_unit(_rounded(plan.rate_hz), 'messages/s')}"
    return Tile(
        name="Rate",
        figure=figure(_rounded(rates.messages_hz)),
        unit="messages/s",
        notes=(f"{in_unit(deliveries_hz, 'deliveries/s')} received", planned),
    )


def _cluster(plan: Plan, network_path: str) -> Tile:
    each = f"{count(plan.clients / plan.servers)} clients each" if plan.servers else ""
    servers = "server" if plan.servers == 1 else "servers"
    path = f"measured over {network_path}" if network_path else ""
    return Tile(
        name="Cluster", figure=count(plan.servers), unit=servers, notes=(each, f"{count(plan.clients)} clients", path)
    )


def _audience(plan: Plan) -> Tile:
    channels = "channel" if plan.channels == 1 else "channels"
    return Tile(
        name="Audience",
        figure=count(plan.audience),
        unit="clients",
        notes=("subscribed to one channel", f"{count(plan.channels)} {channels}"),
    )


def _rounded(rate: float) -> float:
    """A rate without decimals that are below its accuracy."""
    return round(rate) if rate >= 100 else round(rate, 1)
