"""A sweep's verdict → one HTML page, with links to the report of every run."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.model.finding import Verdict
from harness.model.last_matrix import LastMatrix
from harness.report.page.files import write_page
from harness.report.page.run_page import began
from harness.report.page.templates import fill
from harness.report.plots.drawing import Drawing
from harness.report.plots.sweep_figures import sweep_drawings
from harness.report.plots.time_axis import Events
from harness.report.raw.raw_tables import RawTable, raw_tables
from harness.report.text import sweep_tables
from harness.report.text.criteria import STATUS_WORDS, criteria, examples
from harness.report.text.headline import headline
from harness.report.text.matrix_note import NO_MATRIX, MatrixNote, matrix_note
from harness.report.text.quantities import formatted, number
from harness.report.text.run_tables import reductions
from harness.report.text.size_words import size_line
from harness.report.text.step_tables import claim_table, decision_table
from harness.report.text.table import settings

_CONTENTS = (
    ("criteria", "Criteria"),
    ("latency", "Latency and cost"),
    ("growth", "Growth with the servers"),
    ("runs", "Runs"),
    ("stores", "Broker and database"),
    ("decisions", "Decisions"),
    ("tables", "Raw tables"),
    ("repeat", "How to repeat it"),
)


def write_sweep_report(
    folder: Path, verdict: Verdict, machine: Mapping[str, Any], events: Events, matrix: LastMatrix | None = None
) -> Path:
    """Write ``plots/``, ``tables/`` and ``report.html``; returns the page's path. ``matrix`` is the newest matrix of this
    machine. Raises EnvironmentFailure."""
    drawn = sweep_drawings(verdict)
    tables = raw_tables(verdict)
    html = sweep_page(verdict, machine, events, drawn, matrix_note(folder, matrix), tables)
    return write_page(folder, html, drawn, tables)


def sweep_page(
    verdict: Verdict,
    machine: Mapping[str, Any],
    events: Events,
    drawings: Sequence[Drawing],
    matrix: MatrixNote = NO_MATRIX,
    tables: Sequence[RawTable] = (),
) -> str:
    """The report. Every string in it is untrusted text; parts that are absent are named as such."""
    sweep, plan = verdict.sweep, verdict.plan
    runs = sweep.runs if sweep else ()
    return fill(
        "sweep.html",
        plan=plan,
        when=began(events),
        headline=headline(verdict),
        status_words=STATUS_WORDS,
        contents=_CONTENTS,
        size=size_line(plan),
        reductions=reductions(plan),
        criteria=criteria(verdict.findings),
        examples=examples(verdict),
        first=drawings[:1],
        drawings=drawings[1:],
        latencies=sweep_tables.latencies(runs),
        growth=sweep_tables.growth(sweep),
        ratios=sweep_tables.ratios(sweep),
        law=sweep_tables.scalability_law(sweep),
        runs=sweep_tables.run_table(runs),
        broker=sweep_tables.broker_table(runs, plan),
        database=sweep_tables.database_table(runs),
        decisions=decision_table(verdict.decisions),
        claim_table=claim_table(verdict.claims),
        matrix=matrix,
        took=_took(events),
        tables=tables,
        command=shlex.join(("harness", *plan.command)),
        machine=settings("Machine, versions and settings", machine),
    )


def _took(events: Events) -> str:
    """The time that all runs took together; empty if no event gives one."""
    took = [number(event.get("took_s")) for event in events if event.get("event") == "run"]
    known = [seconds for seconds in took if seconds is not None]
    return formatted(round(sum(known)), "took_s") if known else ""
