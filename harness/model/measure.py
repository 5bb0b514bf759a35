"""The measures that comparisons use: names, units, which direction is better, and margins."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from harness.model.registry import Registry


class MarginGroup(StrEnum):
    """Measures that share a margin and an assumed spread between runs."""

    CPU = "cpu"
    LATENCY = "latency"
    TAIL = "tail"
    MEMORY = "memory"
    RECOVERY = "recovery"
    CAPACITY = "capacity"


MARGINS_PERCENT = {
    MarginGroup.CPU: 5.0,
    MarginGroup.LATENCY: 10.0,
    MarginGroup.TAIL: 20.0,
    MarginGroup.MEMORY: 5.0,
    MarginGroup.RECOVERY: 20.0,
    MarginGroup.CAPACITY: 10.0,
}
"""Changes up to this much do not matter, unless an option says otherwise."""

ASSUMED_SPREAD_PERCENT = {
    MarginGroup.CPU: 10.0,
    MarginGroup.LATENCY: 20.0,
    MarginGroup.TAIL: 40.0,
    MarginGroup.MEMORY: 5.0,
    MarginGroup.RECOVERY: 40.0,
    MarginGroup.CAPACITY: 20.0,
}
"""The standard deviation between runs that is assumed if the history is too short: large, so that only large changes
are decided without a history."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """``name`` ends in its unit, or in ``ratio``. ``lower_is_better`` is false for rates and capacity."""

    name: str
    title: str
    group: MarginGroup
    unit: str
    lower_is_better: bool = True


def _cpu(role: str, title: str) -> Measure:
    return Measure(
        name=f"{role}_cpu_us_per_delivery", title=f"CPU per delivery, {title}", group=MarginGroup.CPU, unit="µs"
    )


def _ms(name: str, title: str, group: MarginGroup = MarginGroup.LATENCY) -> Measure:
    return Measure(name=f"{name}_ms", title=title, group=group, unit="ms")


MEASURES: Registry[Measure] = Registry(
    "measure",
    (
        # Measures with the least noise first: they find the smallest changes. A machine that is slower tonight slows the
        # load generator as much as the servers, so their ratio differs least from run to run.
        Measure(
            name="servers_to_generator_cpu_ratio",
            title="CPU of the servers ÷ CPU of the load generator",
            group=MarginGroup.CPU,
            unit="×",
        ),
        _cpu("servers", "servers"),
        _cpu("broker", "broker"),
        _cpu("database", "database"),
        _cpu("generator", "load generator"),
        _ms("delivery_p50", "P50 delivery latency"),
        _ms("delivery_p99", "P99 delivery latency"),
        _ms("delivery_p999", "P99.9 delivery latency", MarginGroup.TAIL),
        _ms("completion_p50", "P50 completion latency"),
        _ms("completion_p99", "P99 completion latency"),
        _ms("completion_p999", "P99.9 completion latency", MarginGroup.TAIL),
        _ms("acknowledgement_p99", "P99 acknowledgement latency"),
        Measure(
            name="server_bytes_per_connection",
            title="Server memory per connection, base included",
            group=MarginGroup.MEMORY,
            unit="bytes",
        ),
        Measure(
            name="recovery_resubscribed_s",
            title="Recovery: last server subscribed again",
            group=MarginGroup.RECOVERY,
            unit="s",
        ),
        Measure(
            name="recovery_backfilled_s",
            title="Recovery: last held-up delivery",
            group=MarginGroup.RECOVERY,
            unit="s",
        ),
        Measure(
            name="recovery_reconnected_p99_s",
            title="Recovery: P99 time without a subscription",
            group=MarginGroup.RECOVERY,
            unit="s",
        ),
        Measure(
            name="capacity",
            title="Highest load that held",
            group=MarginGroup.CAPACITY,
            unit="",
            lower_is_better=False,
        ),
    ),
)

USUAL_MARGINS: Mapping[str, float] = {measure.name: MARGINS_PERCENT[measure.group] for measure in MEASURES}
"""measure → percent, where no option says otherwise"""
