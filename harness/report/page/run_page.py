"""Verdict → one HTML page that needs nothing else: no script, font or picture from anywhere. Its own small script only
adds to it: a zoom of the time, a choice of the server."""

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from harness.model.finding import Verdict
from harness.report.page.beside import Beside
from harness.report.page.templates import fill, script
from harness.report.plots.figures import Drawings
from harness.report.plots.time_axis import Events, event_lines
from harness.report.raw.raw_tables import RawTable
from harness.report.text import (
    durability_tables,
    glossary,
    narrative,
    recovery_tables,
    run_tables,
    size_words,
    step_tables,
)
from harness.report.text.criteria import STATUS_WORDS, criteria, examples, validity
from harness.report.text.headline import headline
from harness.report.text.matrix_note import NO_MATRIX, MatrixNote
from harness.report.text.outage import has_outage, recovery
from harness.report.text.pilot_table import pilot_table
from harness.report.text.proof_note import NO_PROOF, ProofNote
from harness.report.text.table import Table, settings, text

_CONTENTS = (
    ("criteria", "Criteria"),
    ("base", "Beside BASE"),
    ("outage", "Outage"),
    ("latency", "Latency"),
    ("steps", "Steps"),
    ("decisions", "Decisions"),
    ("servers", "Servers"),
    ("ledger", "Ledger"),
    ("validity", "Validity"),
    ("resources", "Resources"),
    ("events", "Events"),
    ("tables", "Raw tables"),
    ("repeat", "How to repeat it"),
    ("words", "Words"),
)
_EVENTS_MAX = 200


def page(
    verdict: Verdict,
    machine: Mapping[str, Any],
    events: Events,
    drawings: Drawings,
    proof: ProofNote = NO_PROOF,
    matrix: MatrixNote = NO_MATRIX,
    tables: Sequence[RawTable] = (),
    beside: Beside | None = None,
) -> str:
    """The report. Every string in ``verdict``, ``machine`` and ``events`` is untrusted text; parts that are absent are
    named as such. ``tables`` are the files beside it, ``beside`` is what is drawn beside the run."""
    run, plan, outage = verdict.run, verdict.plan, has_outage(verdict)
    steps = run.steps if run else None
    durability = run.durability if run else None
    clock_note = step_tables.clock_note(steps)
    code, source = script()
    pilots = pilot_table(plan)
    absent = {name for name, there in (("outage", outage), ("base", beside)) if not there}
    return fill(
        "page.html",
        plan=plan,
        script=code,
        script_source=source,
        when=began(events),
        headline=headline(verdict, network_path(machine)),
        status_words=STATUS_WORDS,
        contents=[entry for entry in _CONTENTS if entry[0] not in absent],
        beside=beside,
        one_clock=steps is not None and not clock_note,
        clock_note=clock_note,
        reductions=run_tables.reductions(plan),
        pilots=pilots,
        size=size_words.size_line(plan, piloted=pilots is not None),
        criteria=criteria(verdict.findings),
        examples=examples(verdict),
        outage=_outage(verdict) if outage else None,
        first=drawings.group("latency")[:1],
        drawings=drawings,
        latencies=run_tables.latencies(run),
        steps=step_tables.steps(steps),
        step_table=step_tables.step_table(steps),
        claim_table=step_tables.claim_table(verdict.claims),
        decisions=step_tables.decision_table(verdict.decisions),
        servers=run_tables.server_grid(run),
        server_names=[server.name for server in run.servers] if run else [],
        ledger=run_tables.ledger(run),
        indeterminate=run_tables.indeterminate(run),
        lost_at=run_tables.lost_at(run),
        not_stored_at=durability_tables.not_stored_at(durability),
        durability=durability_tables.lags(durability),
        losses=durability_tables.losses(durability),
        validity=validity(verdict),
        not_measured=run_tables.not_measured(run),
        proof=proof,
        matrix=matrix,
        workers=run_tables.worker_grid(run),
        publisher=run_tables.publisher_pairs(run),
        resources=run_tables.resource_pairs(run),
        events=_event_table(verdict, events),
        command=shlex.join(("harness", *plan.command)) if plan.command else "",
        settings=run_tables.plan_table(plan),
        machine=settings("Machine, versions and settings", machine),
        tables=tables,
        files=glossary.FILES,
        glossary=glossary.WORDS,
    )


def network_path(machine: Mapping[str, Any]) -> str:
    """The network path of the measured connections, by machine.json; empty if it is not there."""
    inner: object = machine
    for key in ("cluster", "versions", "path"):
        inner = inner.get(key) if isinstance(inner, Mapping) else None
    return "" if inner is None else str(inner)


def began(events: Events) -> str:
    """When the run began, ``2026-01-01 00:00:00 UTC``; empty if no event says so."""
    wall = next((event["wall"] for event in events if isinstance(event.get("wall"), str)), "")
    return f"{wall[:10]} {wall[11:19]} UTC" if len(wall) >= 19 else ""


def _outage(verdict: Verdict) -> dict[str, tuple[str, ...] | Table | None]:
    return {
        "narrative": narrative.paragraphs(verdict),
        "faults": recovery_tables.fault_table(verdict),
        "posts": recovery_tables.post_table(recovery(verdict)),
        "servers": recovery_tables.server_table(recovery(verdict)),
    }


def _event_table(verdict: Verdict, events: Events) -> Table | None:
    lines = event_lines(events, verdict.plan.warm_up_s)
    rows = [tuple(map(text, line)) for line in lines[:_EVENTS_MAX]]
    if len(lines) > _EVENTS_MAX:
        rows.append((text("…"), text(f"{len(lines) - _EVENTS_MAX} more"), text("in events.jsonl")))
    return Table(caption="Events", columns=("Time", "Event", "Details"), rows=tuple(rows)) if rows else None
