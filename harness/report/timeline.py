"""Puts events on the time axis of the figures: seconds since the first measured message was due."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from harness.report.quantities import label, number, told

_MARKS_MAX = 12
_PHASES = ("drain",)
"""Phases that fall into the plotted time; warm-up and measurement are told apart by shade."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One moment to be marked; ``grave`` where something broke or was broken on purpose."""

    at_s: float
    words: str
    grave: bool = False


def origin_ns(events: Iterable[Mapping[str, Any]], warm_up_s: float) -> float | None:
    """When the first measured message was due: from the schedule, else from the phase's beginning. None if neither is
    recorded."""
    begun: float | None = None
    for event in events:
        if event.get("event") == "schedule" and (start := number(event.get("start_ns"))) is not None:
            return start + warm_up_s * 1e9
        if event.get("event") == "phase" and event.get("name") == "measure":
            begun = number(event.get("at_ns"))
    return begun


def marks(events: Iterable[Mapping[str, Any]], warm_up_s: float) -> tuple[Mark, ...]:
    """The moments worth a line in the figures, at most `_MARKS_MAX`, in order of time."""
    every = list(events)
    origin = origin_ns(every, warm_up_s)
    if origin is None:
        return ()
    found = []
    for event in every:
        at, words = number(event.get("at_ns")), _words(event)
        if at is not None and words is not None:
            found.append(Mark(at_s=(at - origin) / 1e9, words=words, grave=event.get("event") != "phase"))
    return tuple(sorted(found, key=lambda mark: mark.at_s)[:_MARKS_MAX])


def _words(event: Mapping[str, Any]) -> str | None:
    """How the event is called in a figure; None for one that is not marked."""
    kind = event.get("event")
    if kind == "phase" and event.get("name") in _PHASES:
        return str(event["name"])
    if kind == "fault":
        return str(event.get("what") or event.get("name") or "fault")
    if kind == "casualty":
        return "casualty"
    if kind == "ended" and event.get("how") != "complete":
        return str(event.get("how") or "ended")
    return None


def tellings(events: Iterable[Mapping[str, Any]], warm_up_s: float) -> list[tuple[str, str, str]]:
    """Each event as (time on the axis, word, details); the time is empty where the axis is not known."""
    every = list(events)
    origin = origin_ns(every, warm_up_s)
    lines = []
    for event in every:
        at = number(event.get("at_ns"))
        when = "" if at is None or origin is None else f"{(at - origin) / 1e9:+.1f} s".replace("-", "−")
        word = str(event.get("event", ""))
        details = "; ".join(
            str(inner) if key in ("name", "what", "how", "why") else f"{label(str(key))} {told(inner, str(key))}"
            for key, inner in event.items()
            if key not in ("at_ns", "wall", "event", "start_ns") and inner not in ("", None)
        )
        lines.append((when, word, details))
    return lines
