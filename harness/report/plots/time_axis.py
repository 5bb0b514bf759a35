"""Puts events on the time axis of the figures: seconds since the first measured message was due."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.model.fault import Fault
from harness.model.measurements.recovery import Recovery
from harness.report.text.quantities import formatted, label, number

Events = Sequence[Mapping[str, Any]]
"""The events of a recording. Each has different keys, so they stay JSON objects; any of their values may be absent."""
_MARKS_MAX = 12
_PHASES = ("drain",)
"""Phases that fall into the plotted time; a shade distinguishes warm-up and measurement."""
_OUTAGES_MAX = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One moment with a line in the figures. ``harm``: a fault or a failure. ``extends_axis``: the axis continues until
    this moment although the curves have ended."""

    at_s: float
    words: str
    harm: bool = False
    extends_axis: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Shade:
    """The time of one outage, which is shaded; ``end_s`` is None if the broken part was never back."""

    begin_s: float
    end_s: float | None


def origin_ns(events: Events, warm_up_s: float) -> float | None:
    """When the first measured message was due: from the schedule, else from the phase's beginning. None if neither is
    recorded."""
    begun: float | None = None
    for event in events:
        if event.get("event") == "schedule" and (start := number(event.get("start_ns"))) is not None:
            return start + warm_up_s * 1e9
        if event.get("event") == "phase" and event.get("name") == "measure":
            begun = number(event.get("at_ns"))
    return begun


def marks(events: Events, warm_up_s: float, recovery: Recovery | None = None) -> tuple[Mark, ...]:
    """The moments with a line in the figures, at most `_MARKS_MAX`, in order of time: the faults of ``recovery`` and
    the other events."""
    found = list(_fault_marks(recovery)) if recovery else []
    origin = origin_ns(events, warm_up_s)
    for event in events:
        at, words = number(event.get("at_ns")), _words(event)
        if at is not None and origin is not None and words is not None:
            word = event.get("event")
            harm, extends = word in ("casualty", "ended"), word == "rebroadcast"
            found.append(Mark(at_s=(at - origin) / 1e9, words=words, harm=harm, extends_axis=extends))
    return tuple(sorted(found, key=lambda mark: mark.at_s)[:_MARKS_MAX])


def _fault_marks(recovery: Recovery) -> Iterable[Mark]:
    for fault in recovery.faults:
        begun_s, back_s = _outage(fault, recovery)
        if begun_s is not None:
            yield Mark(at_s=begun_s, words=f"{fault.kind} {_target(fault)}", harm=True)
        if back_s is not None:
            yield Mark(at_s=back_s, words=f"{_target(fault)} back", extends_axis=True)


def shades(recovery: Recovery | None) -> tuple[Shade, ...]:
    """Each fault from its beginning until the broken part was back, at most `_OUTAGES_MAX`."""
    outages = [_outage(fault, recovery) for fault in recovery.faults] if recovery else []
    return tuple(Shade(begin_s=begun_s, end_s=back_s) for begun_s, back_s in outages if begun_s is not None)[
        :_OUTAGES_MAX
    ]


def _outage(fault: Fault, recovery: Recovery) -> tuple[float | None, float | None]:
    if fault.times is None:
        return None, None
    return recovery.on_axis_s(fault.times.begun_ns), recovery.on_axis_s(fault.times.back_ns)


def _target(fault: Fault) -> str:
    return fault.parts[0] if len(fault.parts) == 1 else str(fault.target)


def _words(event: Mapping[str, Any]) -> str | None:
    """The event's name in a figure; None for an event without a mark."""
    word = event.get("event")
    if word == "phase" and event.get("name") in _PHASES:
        return str(event["name"])
    if word in ("rebroadcast", "casualty"):
        return str(word)
    if word == "ended" and event.get("how") != "complete":
        return str(event.get("how") or "ended")
    return None


def event_lines(events: Events, warm_up_s: float) -> list[tuple[str, str, str]]:
    """Each event as (time on the axis, word, details); the time is empty if the axis is not known."""
    origin = origin_ns(events, warm_up_s)
    lines = []
    for event in events:
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
        # Readings of a clock mean nothing to a reader; they stay in the file.
        inner = {name: _without_times(values) for name, values in inner.items()}
        return formatted({name: values for name, values in inner.items() if values != {}})
    return f"{label(key)} {formatted(inner, key)}"


def _without_times(values: object) -> object:
    if not isinstance(values, Mapping):
        return values
    return {key: inner for key, inner in values.items() if not str(key).endswith("_ns")}
