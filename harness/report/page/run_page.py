"""Verdict → one HTML page that needs nothing else: no script, no font, no picture from anywhere."""

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from harness.model.finding import Verdict
from harness.model.scenario import Size
from harness.report.page.templates import fill
from harness.report.plots.figures import Drawings
from harness.report.plots.time_axis import tellings
from harness.report.text import glossary
from harness.report.text import narrative as story
from harness.report.text import recovery_tables as recovery
from harness.report.text import run_tables as sections
from harness.report.text.criteria import STATUS_WORDS, cases, criteria, instrument
from harness.report.text.headline import headline
from harness.report.text.lookup import part
from harness.report.text.outage import concerns
from harness.report.text.quantities import heading
from harness.report.text.step_tables import claim_table, step_figures, step_table
from harness.report.text.table import Table, grid, pairs, settings, text

_CONTENTS = (
    ("criteria", "Criteria"),
    ("outage", "Outage"),
    ("latency", "Latency"),
    ("steps", "Steps"),
    ("decisions", "Decisions"),
    ("servers", "Servers"),
    ("ledger", "Ledger"),
    ("instrument", "Instrument"),
    ("resources", "Resources"),
    ("events", "Events"),
    ("repeat", "How to repeat it"),
    ("words", "Words"),
)
_EVENTS_MAX = 200
_RESOURCES = {"broker": "Redis", "database": "PostgreSQL", "machine": "Machine"}


def page(verdict: Verdict, machine: Mapping[str, Any], events: Sequence[Mapping[str, Any]], drawings: Drawings) -> str:
    """The report. All of ``verdict``, ``machine`` and ``events`` is taken for untrusted text; parts that are absent are
    named as such."""
    measured = verdict.measurements
    versions = part(machine, "cluster", "versions")
    telling = concerns(verdict)
    return fill(
        "page.html",
        plan=verdict.plan,
        when=began(events),
        headline=headline(verdict, versions),
        status_words=STATUS_WORDS,
        contents=[entry for entry in _CONTENTS if telling or entry[0] != "outage"],
        separate_clock=versions.get("clock") == "separate",
        reductions=sections.reductions(verdict),
        size_note=_size_note(verdict),
        criteria=criteria(verdict.findings, "Every criterion, what decides first") if verdict.findings else None,
        cases=cases(verdict),
        outage=_outage(verdict) if telling else None,
        drawings=drawings,
        latencies=sections.latencies(verdict),
        step_figures=step_figures(verdict),
        step_table=step_table(verdict),
        claim_table=claim_table(verdict),
        decisions=sections.decisions(verdict),
        servers=grid("Server by server", "Server", part(measured, "servers")),
        ledger=sections.ledger(verdict),
        indeterminate=sections.indeterminate(verdict),
        lost_at=sections.lost_at(verdict),
        instrument=instrument(verdict),
        workers=grid("Load workers", "Worker", part(measured, "workers")),
        publisher=pairs("The publisher", "Figure", part(measured, "publisher")),
        resources=[
            pairs(_RESOURCES.get(name, heading(name)), "Figure", part(measured, "resources", name))
            for name in part(measured, "resources")
        ],
        events=_event_table(verdict, events),
        command=shlex.join(("harness", *verdict.plan.command)),
        settings=sections.settings(verdict),
        machine=settings("The machine and what ran on it", machine),
        files=glossary.FILES,
        glossary=glossary.WORDS,
    )


def began(events: Sequence[Mapping[str, Any]]) -> str:
    """When the run began, ``2026-01-01 00:00:00 UTC``; empty where no event says so."""
    wall = next((event["wall"] for event in events if isinstance(event.get("wall"), str)), "")
    return f"{wall[:10]} {wall[11:19]} UTC" if len(wall) >= 19 else ""


def _outage(verdict: Verdict) -> Mapping[str, Any]:
    return {
        "story": story.paragraphs(verdict),
        "faults": recovery.fault_table(verdict),
        "posts": recovery.post_table(verdict),
        "servers": recovery.server_table(verdict),
    }


def _size_note(verdict: Verdict) -> str:
    plan = verdict.plan
    notes = []
    if plan.size is Size.SMOKE:
        notes.append("Smoke size: it shows that everything works, not what the architecture bears.")
    if plan.forced:
        notes.append("Run with --force: the predicted need was more than this machine has.")
    return " ".join(notes)


def _event_table(verdict: Verdict, events: Sequence[Mapping[str, Any]]) -> Table | None:
    told = tellings(events, verdict.plan.warm_up_s)
    rows = [tuple(map(text, line)) for line in told[:_EVENTS_MAX]]
    if len(told) > _EVENTS_MAX:
        rows.append((text("…"), text(f"{len(told) - _EVENTS_MAX} more"), text("in events.jsonl")))
    return Table(caption="Events", columns=("Time", "Event", "Details"), rows=tuple(rows)) if rows else None
