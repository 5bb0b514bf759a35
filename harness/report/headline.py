"""The top of the report: the verdict in a word and a sentence, and the figures that one looks for first."""

from dataclasses import dataclass

from harness.model.finding import Status, Verdict
from harness.report.criteria import STATUS_WORDS
from harness.report.evidence import limit_ms, part, sentence, value
from harness.report.quantities import SPACE, UNKNOWN, count, figure, in_unit, label, milliseconds, regrouped


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One key figure. ``status`` is ``fail`` or ``pass`` where the figure by itself is bad or good news, else empty."""

    name: str
    figure: str
    unit: str = ""
    notes: tuple[str, ...] = ()
    status: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    status: Status
    word: str
    sentence: str
    tiles: tuple[Tile, ...]


def headline(verdict: Verdict) -> Headline:
    return Headline(
        status=verdict.status,
        word=STATUS_WORDS[verdict.status],
        sentence=regrouped(sentence(verdict)),
        tiles=(_deliveries(verdict), *_latencies(verdict), _rate(verdict), _cluster(verdict), _audience(verdict)),
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
    """P99 delivery latency, P99 completion latency; another statistic where the plan limits that one instead."""
    tiles = []
    for measure, name in (("latency_ms", "delivery latency"), ("completion_ms", "completion latency")):
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


def _cluster(verdict: Verdict) -> Tile:
    plan = verdict.plan
    each = f"{count(plan.clients / plan.servers)} clients each" if plan.servers else ""
    servers = "server" if plan.servers == 1 else "servers"
    return Tile(
        name="Cluster", figure=count(plan.servers), unit=servers, notes=(each, f"{count(plan.clients)} clients")
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
