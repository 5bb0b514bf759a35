"""Names of curves and axes → names of columns."""

import re

_UNITS = {"bytes/s": "bytes_per_s", "commands/s": "commands_per_s", "per second": "per_s"}


def column_name(line: str, y_label: str) -> str:
    """``P99`` of an axis ``delivery latency (ms)`` → ``p99_ms``. Letters, digits and underscores only."""
    inside = re.fullmatch(r".*\(([^()]+)\)", y_label)
    unit = inside[1] if inside else y_label
    return "_".join(part for part in (_word(line), _UNITS.get(unit) or _word(unit)) if part)


def share_of(nines: float) -> float:
    """The share of the samples of a place on the axis of the percentiles, which is −log10(1 − share)."""
    return round(1 - 10**-nines, 9)


def _word(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
