"""The measures that comparisons use: names, units, which direction is better, and margins."""

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
    """``name`` ends in its unit. ``lower_is_better`` is false for rates and capacity."""

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
        # Measures with the least noise first: they find the smallest changes.
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
