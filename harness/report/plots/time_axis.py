"""Puts events on the time axis of the figures: seconds since the first measured message was due."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from harness.report.text.lookup import value
from harness.report.text.quantities import label, number, told

_MARKS_MAX = 12
_PHASES = ("drain",)
"""Phases that fall into the plotted time; warm-up and measurement are told apart by shade."""
_GRAVE = ("fault", "casualty", "ended")
_LASTING = ("heal-done", "rebroadcast")
_WINDOWS_MAX = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One moment to be marked; ``grave`` where something broke or was broken on purpose, ``lasting`` where the figures
    go on until it although the curves have ended."""

    at_s: float
    words: str
    grave: bool = False
    lasting: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A time during which something was broken on purpose; ``end_s`` is None where it never was back."""

    begin_s: float
    end_s: float | None
    what: str = ""

    @property
    def marks(self) -> tuple[Mark, ...]:
        begin = Mark(at_s=self.begin_s, words=self.what or "fault", grave=True)
        return (begin,) if self.end_s is None else (begin, Mark(at_s=self.end_s, words=_back(self.what), lasting=True))


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
            kind = event.get("event")
            found.append(Mark(at_s=(at - origin) / 1e9, words=words, grave=kind in _GRAVE, lasting=kind in _LASTING))
    return tuple(sorted(found, key=lambda mark: mark.at_s)[:_MARKS_MAX])


def windows(events: Iterable[Mapping[str, Any]], warm_up_s: float) -> tuple[Window, ...]:
    """From each fault to the end of its undoing, at most `_WINDOWS_MAX`."""
    every = list(events)
    origin = origin_ns(every, warm_up_s)
    found: dict[str, Window] = {}
    for event in every:
        at, fault = number(event.get("at_ns")), str(event.get("fault", ""))
        if at is None or origin is None:
            continue
        at_s = (at - origin) / 1e9
        if event.get("event") == "fault":
            found.setdefault(fault, Window(begin_s=at_s, end_s=None, what=str(event.get("what") or "")))
        elif event.get("event") == "heal-done" and fault in found:
            found[fault] = replace(found[fault], end_s=at_s)
    return tuple(found.values())[:_WINDOWS_MAX]


def measured_windows(faults: Iterable[Mapping[str, Any]]) -> tuple[Window, ...]:
    """The same from the faults of a verdict's measurements, for a recording whose events are lost."""
    return tuple(
        Window(begin_s=begin, end_s=value(row, "back_s"), what=str(row.get("what") or ""))
        for row in faults
        if (begin := value(row, "begun_s")) is not None
    )[:_WINDOWS_MAX]


def _back(what: str) -> str:
    """``stop broker`` and ``start broker`` both end as ``broker back``."""
    subject = what.partition(" ")[2]
    return f"{subject} back" if subject else "back"


def _words(event: Mapping[str, Any]) -> str | None:
    """How the event is called in a figure; None for one that is not marked."""
    kind = event.get("event")
    if kind == "phase" and event.get("name") in _PHASES:
        return str(event["name"])
    if kind == "fault":
        return str(event.get("what") or event.get("name") or "fault")
    if kind == "heal-done":
        return _back(str(event.get("what") or ""))
    if kind == "rebroadcast":
        return "rebroadcast"
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
            _detail(str(key), inner)
            for key, inner in event.items()
            if key not in ("at_ns", "wall", "event", "start_ns", "fault") and inner not in ("", None, {})
        )
        lines.append((when, word, details))
    return lines


def _detail(key: str, inner: object) -> str:
    if key in ("name", "what", "how", "why"):
        return str(inner)
    if key == "seen" and isinstance(inner, Mapping):
        # Moments of a clock that nobody reads are left to the file.
        inner = {name: _timeless(values) for name, values in inner.items()}
        return told({name: values for name, values in inner.items() if values != {}})
    return f"{label(key)} {told(inner, key)}"


def _timeless(values: object) -> object:
    if not isinstance(values, Mapping):
        return values
    return {key: inner for key, inner in values.items() if not str(key).endswith("_ns")}
