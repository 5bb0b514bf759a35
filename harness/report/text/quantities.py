"""Numbers in words: thousands grouped, three significant digits, always with the unit.

A narrow no-break space separates thousands and a no-break space separates the unit, so that a figure never wraps. A
value that is absent or not a finite number reads as `UNKNOWN`.
"""

import math
import re
from collections.abc import Iterable, Mapping

UNKNOWN = "–"
THOUSANDS, SPACE = "\u202f", "\u00a0"

_UNITS = {"ms": "ms", "s": "s", "us": "µs", "ns": "ns", "hz": "/s", "cores": "cores", "percent": "%"}
_WORDS = {
    "fan_out": "fan-out",
    "warm_up": "warm-up",
    "cpu": "CPU",
    "rss": "resident memory",
    "wal": "WAL",
    "duplicates wire": "duplicates on the wire",
    "duplicates visible": "duplicates as the client sees it",
    "p99 low": "P99 from",
    "p99 high": "P99 to",
    "p999": "P99.9",
}
_BOUNDS = ("below", "above", "min", "max", "from", "to")
_PARTS_MAX = 24


def number(value: object) -> float | None:
    """``value`` if it is a finite number, else None. True and False do not count as numbers."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def count(value: object) -> str:
    """An integer, exactly: ``1 200 000``."""
    return UNKNOWN if (known := number(value)) is None else _grouped(f"{round(known):,}")


def figure(value: object) -> str:
    """A measured number to three significant digits, integers exactly: ``0.0123``, ``62.1``, ``1 234``."""
    if (known := number(value)) is None:
        return UNKNOWN
    if known == 0 or abs(known) >= 100 or isinstance(value, int):
        return count(known)
    digits = max(0, 2 - math.floor(math.log10(abs(known))))
    text = f"{known:.{min(digits, 9)}f}".replace("-", "−")
    return text.rstrip("0").rstrip(".") if "." in text else text


def in_unit(value: object, unit: str) -> str:
    """``62.1 ms``; ``unit`` may be a word such as ``messages/s``."""
    if number(value) is None:
        return UNKNOWN
    return figure(value) + SPACE + unit if unit else figure(value)


def milliseconds(value: object) -> str:
    """Milliseconds up to ten seconds, seconds from there on."""
    known = number(value)
    return in_unit(value, "ms") if known is None or abs(known) < 10_000 else in_unit(known / 1000, "s")


def seconds(value: object) -> str:
    """Seconds as they are; milliseconds below one second."""
    known = number(value)
    return in_unit(value, "s") if known is None or known == 0 or abs(known) >= 1 else milliseconds(known * 1000)


def many(value: object, noun: str) -> str:
    """``1 post``, ``500 posts``."""
    return f"{count(value)}{SPACE}{noun}{'' if number(value) == 1 else 's'}"


def size(value: object) -> str:
    """Bytes in the largest binary unit that leaves at least one of it: ``52.3 MiB``."""
    known = number(value)
    if known is None:
        return UNKNOWN
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(known) < 1024:
            return in_unit(int(known) if unit == "B" else known, unit)
        known /= 1024
    return in_unit(known, "TiB")


def regrouped(words: str) -> str:
    """Prose with its thousands grouped as in the rest of the report, instead of by commas."""
    return re.sub(r"(?<=\d),(?=\d{3}(?!\d))", THOUSANDS, words)


def heading(key: str) -> str:
    """A JSON key as the head of a row or column: its `label`, beginning with a capital letter."""
    words = label(key)
    return words[:1].upper() + words[1:]


def label(key: str) -> str:
    """A JSON key as a label: ``p99_ms`` → ``P99``, ``lost_tail`` → ``lost tail``. The unit stands beside the value."""
    head, _, bound = key.rpartition("_")
    if head and bound in _BOUNDS:
        return f"{label(head)} {bound}"
    words = _parted(key)[0]
    if words in _WORDS:
        return _WORDS[words]
    plain = words.replace("_", " ")
    if plain in _WORDS:
        return _WORDS[plain]
    parts = (
        part.upper() if part[:1] == "p" and part[1:].isdigit() else _WORDS.get(part, part) for part in plain.split()
    )
    return " ".join(parts)


def formatted(value: object, key: str = "", unit: str = "") -> str:
    """Any JSON value in words. The unit comes from the end of the key (``_ms``, ``_bytes``, …), else from ``unit``, the
    unit of the object that holds the value."""
    unit = _parted(key)[1] or unit
    if value is None:
        return UNKNOWN
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        if unit == "bytes_hz":
            return f"{size(value)}/s"
        if unit in ("bytes", "ms") and not key.endswith("count"):
            return size(value) if unit == "bytes" else milliseconds(value)
        return in_unit(value, "" if key.endswith("count") else _UNITS.get(unit, unit))
    if isinstance(value, Mapping):
        return listed(f"{label(str(name))} {formatted(part, str(name), unit)}" for name, part in value.items())
    if isinstance(value, list | tuple):
        return listed(formatted(part, "", unit) for part in value)
    return str(value)


def listed(parts: Iterable[str]) -> str:
    """The parts with commas between them; after `_PARTS_MAX` of them, how many more there are."""
    every = list(parts)
    rest = len(every) - _PARTS_MAX
    return ", ".join(every[:_PARTS_MAX]) + (f" and {count(rest)} more" if rest > 0 else "")


def _parted(key: str) -> tuple[str, str]:
    """A key's words and the unit it ends in, empty if it names none."""
    head, _, last = key.rpartition("_")
    if head and last in _BOUNDS:
        return key, _parted(head)[1]
    if last == "hz" and head.endswith("_bytes"):
        return head.removesuffix("_bytes"), "bytes_hz"
    return (head, last) if head and (last in _UNITS or last == "bytes") else (key, "")


def _grouped(text: str) -> str:
    return text.replace(",", THOUSANDS).replace("-", "−")
