"""What was broken on purpose, when it was back, and what the recording has on it. Any part of it may be absent."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.model.fault import Fault, FaultKind, Target
from harness.model.finding import Verdict
from harness.report.text.lookup import part, rows, value
from harness.report.text.quantities import count

_VERBS = {
    FaultKind.STOP: "stopped",
    FaultKind.KILL: "killed",
    FaultKind.PAUSE: "frozen",
    FaultKind.PARTITION: "cut off from the network",
    FaultKind.RESTART: "restarted",
}
_NAMES = {Target.BROKER: "Redis", Target.DATABASE: "PostgreSQL"}
_NAMED_MAX = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """One fault as it happened. Times are in seconds on the report's axis, None where the recording has none.

    ``subject`` and ``verb`` make a sentence (``Redis``, ``was stopped``); ``endings`` says how each part ended.
    """

    subject: str
    verb: str
    plural: bool = False
    planned: str = ""
    begun_s: float | None = None
    done_s: float | None = None
    heal_s: float | None = None
    back_s: float | None = None
    outage_s: float | None = None
    endings: tuple[str, ...] = ()

    @property
    def was(self) -> str:
        return "were" if self.plural else "was"


def concerns(verdict: Verdict) -> bool:
    """Whether there is a story of an outage to tell: something was to be broken, or a recovery was measured."""
    return bool(verdict.plan.faults) or bool(recovery(verdict))


def recovery(verdict: Verdict) -> Mapping[str, Any]:
    return part(verdict.measurements, "recovery")


def outages(verdict: Verdict) -> tuple[Outage, ...]:
    """Every fault in the order of the plan; those of which nothing was recorded have no times."""
    measured = rows(recovery(verdict), "faults")
    planned = verdict.plan.faults
    found = [_measured(row, planned[place] if place < len(planned) else None) for place, row in enumerate(measured)]
    found += [_named(str(fault.kind), str(fault.target), fault.parts, str(fault)) for fault in planned[len(measured) :]]
    return tuple(found)


def _measured(row: Mapping[str, Any], fault: Fault | None) -> Outage:
    names = row.get("parts")
    parts = tuple(map(str, names)) if isinstance(names, list | tuple) else ()
    kind, target = str(row.get("kind", "")), str(row.get("target", ""))
    named = _named(kind, target, parts, "" if fault is None else str(fault))
    begun, back, lasted = (value(row, key) for key in ("begun_s", "back_s", "outage_s"))
    if lasted is None and begun is not None and back is not None:
        lasted = back - begun
    endings = part(row, "endings")
    return Outage(
        subject=named.subject,
        verb=named.verb,
        plural=named.plural,
        planned=named.planned,
        begun_s=begun,
        done_s=value(row, "done_s"),
        heal_s=value(row, "heal_s"),
        back_s=back,
        outage_s=lasted,
        endings=tuple(
            str(ending) if len(endings) == 1 else f"{name}: {ending}" for name, ending in endings.items() if ending
        ),
    )


def _named(kind: str, target: str, parts: tuple[str, ...], planned: str) -> Outage:
    subject, plural = _subject(target, parts)
    if (kind, target) == (FaultKind.PAUSE, Target.CLIENTS):
        return Outage(subject=subject, verb="stopped reading", plural=plural, planned=planned)
    verb = _VERBS[FaultKind(kind)] if kind in list(FaultKind) else f"hit by “{kind}”" if kind else "broken"
    return Outage(subject=subject, verb=f"{'were' if plural else 'was'} {verb}", plural=plural, planned=planned)


def _subject(target: str, parts: tuple[str, ...]) -> tuple[str, bool]:
    """How the broken part is called in a sentence, and whether that is a plural."""
    if target in _NAMES:
        return _NAMES[Target(target)], False
    if target == Target.CLIENTS:
        return (
            (f"{count(len(parts))} client{'' if len(parts) == 1 else 's'}", len(parts) != 1)
            if parts
            else ("Some clients", True)
        )
    if target == Target.SERVERS:
        return (f"All {count(len(parts))} servers" if len(parts) > 1 else "All servers"), True
    if 0 < len(parts) <= _NAMED_MAX:
        return " and ".join(parts), len(parts) > 1
    return target or "A part of the cluster", False
