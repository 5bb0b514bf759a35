"""Verdict → line of the history."""

from collections.abc import Mapping, Sequence
from typing import Any

from harness.measures.keys import key_of, machine_parts, noted_parts, plan_parts
from harness.measures.reading import capacity_measures, measures_of
from harness.model.capacity import Capacity, Found
from harness.model.finding import Bias, Kind, Status, Verdict
from harness.model.history import HistoryEntry
from harness.recording.format import Document


def entry_of(
    verdict: Verdict,
    machine: Mapping[str, Any],
    events: Sequence[Document],
    *,
    run: str,
    kind: str = "run",
    point: str = "",
    labels: Mapping[str, str] | None = None,
    revision: str = "",
) -> HistoryEntry:
    """``run`` is the path by which the entry is found."""
    plan, machine_found = plan_parts(verdict.plan), machine_parts(machine)
    doubts = [
        finding for finding in verdict.findings if finding.kind is Kind.VALIDITY and finding.status is not Status.PASS
    ]
    if kind == "sweep":
        plan |= {"sweep": ", ".join(map(str, verdict.sweep.server_counts)) if verdict.sweep else "yes"}
        # The whole has no figures of its own; its runs have lines with theirs.
        doubts = []
    if kind == "matrix":
        plan |= {"systems": ", ".join(one.system for one in verdict.matrix.systems) if verdict.matrix else "yes"}
        doubts = []
    return HistoryEntry(
        run=run,
        kind=kind,
        began=began(events),
        scenario=verdict.plan.scenario,
        point=point,
        revision=revision,
        labels=dict(labels or {}),
        plan_key=key_of(plan),
        plan=plan,
        machine_key=key_of(machine_found),
        machine=machine_found,
        noted=noted_parts(verdict.plan, machine),
        verdict=verdict.status,
        complete=ended_complete(events),
        safety={finding.check: finding.status for finding in verdict.findings if finding.kind is Kind.SAFETY},
        doubts=tuple(finding.check for finding in doubts),
        pessimistic=tuple(finding.check for finding in doubts if finding.bias is Bias.PESSIMISTIC),
        failed=tuple(finding.check for finding in verdict.findings if finding.status is Status.FAIL),
        measures=measures_of(verdict),
    )


def capacity_entry(
    capacity: Capacity,
    machine: Mapping[str, Any],
    events: Sequence[Document],
    *,
    run: str,
    labels: Mapping[str, str] | None = None,
    revision: str = "",
) -> HistoryEntry:
    """A search is compared with searches of the same number, limit and other numbers."""
    search = capacity.plan
    plan = plan_parts(search.plan) | {"varied": str(search.vary), "limit_ms": f"{search.limit_ms:g}"}
    varied = {"rate": "rate_hz", "clients": "clients", "audience": "audience"}[str(search.vary)]
    for part in (varied, "channels", "load_workers"):
        plan[part] = "varied"
    machine_found = machine_parts(machine)
    return HistoryEntry(
        run=run,
        kind="capacity",
        began=began(events),
        scenario=search.plan.scenario,
        revision=revision,
        labels=dict(labels or {}),
        plan_key=key_of(plan),
        plan=plan,
        machine_key=key_of(machine_found),
        machine=machine_found,
        noted=noted_parts(search.plan, machine),
        verdict=capacity_status(capacity),
        complete=not capacity.ended,
        measures=capacity_measures(capacity) if capacity.found is Found.CAPACITY else {},
    )


def capacity_status(capacity: Capacity) -> Status:
    """As in the exit code of `harness capacity`: a load that held is a result, even if the limit was not found."""
    held = (Found.CAPACITY, Found.LOWER_BOUND)
    return Status.PASS if capacity.found in held else Status.FAIL if capacity.found is Found.NONE else Status.UNKNOWN


def began(events: Sequence[Document]) -> str:
    """When the run began, in UTC (ISO 8601); empty if no event says so."""
    return next((str(event["wall"]) for event in events if isinstance(event.get("wall"), str)), "")


def ended_complete(events: Sequence[Document]) -> bool:
    ended = [event for event in events if event.get("event") == "ended"]
    return bool(ended) and ended[-1].get("how") == "complete"
