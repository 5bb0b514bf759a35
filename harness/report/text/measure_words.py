"""Measures in words: title, value with its unit, change in percent."""

from harness.model.measure import MEASURES
from harness.report.text.quantities import SPACE, UNKNOWN, figure, in_unit, size


def measure_title(name: str) -> str:
    """The title of a measure; a place in a sweep stands before it."""
    place, _, plain = name.rpartition(": ")
    known = MEASURES.find(plain)
    title = known.title if known else plain
    return f"{place}: {title}" if place else title


def measure_value(name: str, value: float | None) -> str:
    known = MEASURES.find(name.rpartition(": ")[2])
    if value is None or known is None:
        return UNKNOWN if value is None else figure(value)
    return size(value) if known.unit == "bytes" else in_unit(value, known.unit)


def signed_percent(value: float | None) -> str:
    """``+12.3 %``"""
    if value is None:
        return UNKNOWN
    sign = "+" if value >= 0 else "−"
    digits = 0 if abs(value) >= 100 else 1
    return f"{sign}{abs(value):.{digits}f}{SPACE}%"
