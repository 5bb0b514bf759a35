"""Prepares a series for drawing: a suitable unit, the lines that share a legend entry, names that the font can show."""

import math
import re
from dataclasses import replace

from harness.model.finding import Series

_SECONDS_FROM_MS = 10_000.0
_BYTE_UNITS = ("bytes", "KiB", "MiB", "GiB")


def scaled(series: Series) -> Series:
    """Bytes and milliseconds in the unit that suits the largest of them; anything else as it is."""
    divisor, y_label = unit(series)
    if divisor == 1:
        return replace(series, y_label=y_label)
    lines = {
        name: tuple(None if value is None else value / divisor for value in line) for name, line in series.lines.items()
    }
    return replace(series, y_label=y_label, lines=lines)


def unit(series: Series) -> tuple[float, str]:
    """The divisor, and the unit for the axis."""
    top = max(
        (abs(value) for line in series.lines.values() for value in line if value is not None and math.isfinite(value)),
        default=0.0,
    )
    if time_unit(series.y_label) == "ms" and top >= _SECONDS_FROM_MS:
        return 1000.0, re.sub(r"\bms\b", "s", series.y_label)
    if "bytes" in series.y_label:
        power = min(len(_BYTE_UNITS) - 1, int(math.log(top, 1024)) if top >= 1 else 0)
        return 1024.0**power, series.y_label.replace("bytes", _BYTE_UNITS[power])
    return 1.0, series.y_label


def time_unit(y_label: str) -> str:
    """``ms`` or ``s`` of a label like ``ms`` or ``delivery latency (ms)``; empty if the axis is no duration."""
    found = re.fullmatch(r"(?:.*\()?(ms|s)\)?", y_label)
    return found[1] if found else ""


def families_of(series: Series) -> dict[str, list[str]]:
    """Legend entry → its lines: ``server-1`` … ``server-16`` share one entry."""
    families: dict[str, list[str]] = {}
    for name in series.lines:
        families.setdefault(name.rstrip("0123456789").rstrip("- ") if name[-1:].isdigit() else name, []).append(name)
    entries: dict[str, list[str]] = {}
    for stem, members in families.items():
        # P50 and P95 end in digits too, but they are different lines and not one family.
        if len(members) > 1 and len(stem) > 1:
            entries[f"{printable(stem)} × {len(members)}"] = members
        else:
            entries.update({printable(member): [member] for member in members})
    return entries


def printable(name: str, length_max: int = 28) -> str:
    """The name without characters that the font does not have, cut to ``length_max`` characters."""
    plain = "".join(letter if " " <= letter <= "ÿ" and letter.isprintable() else "?" for letter in name)
    return plain if len(plain) <= length_max else plain[: length_max - 1] + "…"
