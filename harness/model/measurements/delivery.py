"""The outcomes of posts and deliveries, as integers."""

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryCounts:
    """The first four count messages, the others deliveries: (client, message) pairs."""

    posted: int = 0
    acknowledged: int = 0
    rejected: int = 0
    indeterminate: int = 0
    expected: int = 0
    delivered: int = 0
    lost: int = 0
    undelivered: int = 0
    """missing deliveries that may have been on their way when the harness stopped listening"""
    lost_tail: int = 0
    """lost deliveries that come after everything that their client received"""
    duplicates_wire: int = 0
    duplicates_visible: int = 0
    out_of_order: int = 0
    phantom: int = 0

    def __add__(self, other: "DeliveryCounts") -> "DeliveryCounts":
        names = [field.name for field in fields(self)]
        return DeliveryCounts(**{name: getattr(self, name) + getattr(other, name) for name in names})


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryByPhase:
    """The counts of each phase of the load."""

    probe: DeliveryCounts
    warm_up: DeliveryCounts
    measured: DeliveryCounts

    @property
    def total(self) -> DeliveryCounts:
        """All phases together."""
        return self.probe + self.warm_up + self.measured


@dataclass(frozen=True, slots=True, kw_only=True)
class LostAt:
    """How many deliveries were lost at one hop."""

    hop: str
    deliveries: int
