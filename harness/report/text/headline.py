"""The top of the report: the verdict in a word and a sentence, and the figures that one looks for first."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.model.finding import Status, Verdict
from harness.report.text.criteria import STATUS_WORDS
from harness.report.text.lookup import limit_ms, part, sentence, value
from harness.report.text.outage import concerns
from harness.report.text.quantities import SPACE, UNKNOWN, count, figure, in_unit, label, milliseconds, regrouped
from harness.report.text.sweep_tiles import sweep_tiles
from harness.report.text.tile import Tile


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    status: Status
    word: str
    sentence: str
    tiles: tuple[Tile, ...]


_LATENCIES = {
    "latency_ms": "delivery latency",
    "live_latency_ms": "live delivery latency",
    "completion_ms": "completion latency",
}


def headline(verdict: Verdict, versions: Mapping[str, Any] | None = None) -> Headline:
    """``versions`` is what machine.json knows of the cluster: it names the network path that was measured."""
    return Headline(
        status=verdict.status,
        word=STATUS_WORDS[verdict.status],
        sentence=regrouped(sentence(verdict)),
        tiles=sweep_tiles(verdict)
        or (
            _deliveries(verdict),
            *_latencies(verdict),
            *_recovered(verdict),
            _rate(verdict),
            _cluster(verdict, versions or {}),
            _audience(verdict),
        ),
    )


def _deliveries(verdict: Verdict) -> Tile:
    delivery = part(verdict.measurements, "delivery")
    expected, delivered, lost = (value(delivery, key) for key in ("expected", "delivered", "lost"))
    if expected is None and delivered is None and lost is None:
        return Tile(name="Deliveries", figure=UNKNOWN, notes=("no delivery was counted",))
    news = "" if lost is None else "fail" if lost else "pass" if expected else ""
    return Tile(
        name="Deliveries",
        figure=count(delivered),
        notes=(f"of {count(expected)} expected", f"{count(lost)} lost"),
        status=news,
    )


def _latencies(verdict: Verdict) -> tuple[Tile, ...]:
    """P99 delivery latency, P99 completion latency; another statistic where the plan limits that one instead. Where it
    limits live deliveries, these, without what a broken part held up."""
    tiles = []
    limited = {wish.measure for wish in verdict.plan.expectations}
    usual = {"live_latency_ms"} if "live_latency_ms" in limited else {"latency_ms", "completion_ms"}
    for measure, name in _LATENCIES.items():
        if measure not in usual | limited:
            continue
        statistic = next((wish.statistic for wish in verdict.plan.expectations if wish.measure == measure), "p99")
        found = value(verdict.measurements, measure, statistic)
        limit = limit_ms(verdict, measure, statistic)
        notes = [f"limit {milliseconds(limit)}"] if limit is not None else []
        low, high = (value(verdict.measurements, measure, f"{statistic}_{end}") for end in ("low", "high"))
        if low is not None and high is not None:
            notes.append(f"95{SPACE}% between {milliseconds(low)} and {milliseconds(high)}")
        if found is None:
            notes.append("not measured")
        news = "" if found is None or limit is None else "pass" if found < limit else "fail"
        title = f"{label(statistic)} {name}"
        amount, _, unit = milliseconds(found).partition(SPACE)
        tiles.append(Tile(name=title, figure=amount, unit=unit, notes=tuple(notes), status=news))
    return tuple(tiles)


def _recovered(verdict: Verdict) -> tuple[Tile, ...]:
    """The deliveries that came late from the database, where a fault makes some be expected."""
    found = part(verdict.measurements, "recovered_latency_ms")
    deliveries = value(found, "count")
    if not concerns(verdict) and not deliveries:
        return ()
    notes: tuple[str, ...]
    if deliveries is None:
        notes = ("not measured",)
    elif not deliveries:
        notes = ("every delivery came live",)
    else:
        notes = (f"P99 {milliseconds(value(found, 'p99'))}", "filled in from the database")
    return (Tile(name="Recovered deliveries", figure=count(deliveries), notes=notes),)


def _rate(verdict: Verdict) -> Tile:
    plan, rates = verdict.plan, part(verdict.measurements, "rates")
    measured, deliveries = value(rates, "messages_hz"), value(rates, "deliveries_hz")
    if measured is None:
        notes = (f"planned: {in_unit(round(plan.deliveries_per_s), 'deliveries/s')}", "not measured")
        return Tile(name="Rate", figure=figure(_rounded(plan.rate_hz)), unit="messages/s", notes=notes)
    planned = f"planned {in_unit(_rounded(plan.rate_hz), 'messages/s')}"
    return Tile(
        name="Rate",
        figure=figure(_rounded(measured)),
        unit="messages/s",
        notes=(in_unit(None if deliveries is None else round(deliveries), "deliveries/s"), planned),
    )


def _cluster(verdict: Verdict, versions: Mapping[str, Any]) -> Tile:
    plan = verdict.plan
    each = f"{count(plan.clients / plan.servers)} clients each" if plan.servers else ""
    servers = "server" if plan.servers == 1 else "servers"
    path = f"measured over {versions['path']}" if versions.get("path") else ""
    return Tile(
        name="Cluster", figure=count(plan.servers), unit=servers, notes=(each, f"{count(plan.clients)} clients", path)
    )


def _audience(verdict: Verdict) -> Tile:
    plan = verdict.plan
    channels = "channel" if plan.channels == 1 else "channels"
    return Tile(
        name="Audience",
        figure=count(plan.audience),
        unit="clients",
        notes=("subscribed to one channel", f"{count(plan.channels)} {channels}"),
    )


def _rounded(rate: float) -> float:
    """A rate without decimals that nobody reads."""
    return round(rate) if rate >= 100 else round(rate, 1)
