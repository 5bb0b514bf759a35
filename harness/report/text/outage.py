"""The faults of a run in words: what was broken, how, and how each process ended."""

from dataclasses import dataclass

from harness.model.backplane import BACKPLANES
from harness.model.fault import LINK_TARGETS, Fault, FaultKind, Target
from harness.model.finding import Verdict
from harness.model.link import ends
from harness.model.measurements.recovery import Recovery
from harness.model.plan import Plan
from harness.report.text.component_titles import broker_title, database_title
from harness.report.text.quantities import count

_VERBS = {
    FaultKind.STOP: "stopped",
    FaultKind.KILL: "killed",
    FaultKind.PAUSE: "frozen",
    FaultKind.PARTITION: "cut off from the network",
    FaultKind.RESTART: "restarted",
}
_LINK_VERBS = {
    FaultKind.STOP: "cut",
    FaultKind.KILL: "cut",
    FaultKind.PAUSE: "held open with nothing passing",
    FaultKind.RESTART: "cut once",
}
_NAMED_MAX = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a fault hits, as the subject of a sentence, e.g. ``server-2``."""

    words: str
    plural: bool = False

    @property
    def was(self) -> str:
        return "were" if self.plural else "was"


def has_outage(verdict: Verdict) -> bool:
    """Whether the report has a section on an outage: a fault was planned, or a recovery was measured."""
    return bool(verdict.plan.faults) or recovery(verdict) is not None


def recovery(verdict: Verdict) -> Recovery | None:
    return verdict.run.recovery if verdict.run else None


def faults(verdict: Verdict) -> tuple[Fault, ...]:
    """Every fault in the order of the plan; a fault without a record has no times."""
    measured = recovery(verdict)
    known = measured.faults if measured else ()
    return (*known, *verdict.plan.faults[len(known) :])


def subject(fault: Fault, plan: Plan) -> Subject:
    many = len(fault.parts)
    if fault.target is Target.BROKER:
        return Subject(words=broker_title(plan))
    if fault.target is Target.DATABASE:
        return Subject(words=database_title())
    if fault.target is Target.CLIENTS:
        return Subject(words=f"{count(many) if many else 'Some'} client{'' if many == 1 else 's'}", plural=many != 1)
    if fault.target is Target.SERVERS:
        return Subject(words=f"All {count(many)} servers" if many > 1 else "All servers", plural=True)
    if fault.target in LINK_TARGETS:
        return _links(fault, plan)
    if 0 < many <= _NAMED_MAX:
        return Subject(words=" and ".join(fault.parts), plural=many > 1)
    return Subject(words=str(fault.target))


def _links(fault: Fault, plan: Plan) -> Subject:
    """E.g. ``The listening connection of server-2`` or ``The link between server-2 and server-1``."""
    backplane = BACKPLANES.find(plan.backplane)
    noun = backplane.breakable.noun if backplane is not None and backplane.breakable is not None else "link"
    if len(fault.parts) != 1:
        return Subject(words=f"All {noun}s", plural=True)
    connects, connected = ends(fault.parts[0])
    if backplane is not None and backplane.links_servers:
        return Subject(words=f"The {noun} between {connects} and {connected}")
    return Subject(words=f"The {noun} of {connects}")


def injected(fault: Fault, plan: Plan) -> str:
    """Subject and verb, e.g. ``server-2 was killed``."""
    hit = subject(fault, plan)
    if (fault.kind, fault.target) == (FaultKind.PAUSE, Target.CLIENTS):
        return f"{hit.words} stopped reading"
    verbs = _LINK_VERBS if fault.target in LINK_TARGETS else _VERBS
    return f"{hit.words} {hit.was} {verbs[fault.kind]}"


def endings(fault: Fault) -> tuple[str, ...]:
    """How each process of the broken parts ended; the part is named if there are several."""
    found = [ending for ending in (fault.times.endings if fault.times else ()) if ending.how]
    return tuple(ending.how if len(found) == 1 else f"{ending.part}: {ending.how}" for ending in found)
