"""A matrix' verdict → one HTML page, with links to the report of every cell."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.model.finding import Verdict
from harness.report.page.files import write_page
from harness.report.page.run_page import began
from harness.report.page.templates import fill
from harness.report.plots.drawing import Drawing
from harness.report.plots.matrix_figures import matrix_drawings
from harness.report.plots.time_axis import Events
from harness.report.raw.raw_tables import RawTable, raw_tables
from harness.report.text import matrix_tables
from harness.report.text.criteria import STATUS_WORDS, criteria, examples
from harness.report.text.headline import headline
from harness.report.text.step_tables import claim_table, decision_table
from harness.report.text.table import settings

_CONTENTS = (
    ("criteria", "Criteria"),
    ("matrix", "The decision matrix"),
    ("plots", "Latency, cost, recovery and loss"),
    ("decisions", "Claims and decisions"),
    ("cells", "Cells"),
    ("tables", "Raw tables"),
    ("repeat", "How to repeat it"),
)


def write_matrix_report(folder: Path, verdict: Verdict, machine: Mapping[str, Any], events: Events) -> Path:
    """Write ``plots/``, ``tables/`` and ``report.html``; returns the page's path. Raises EnvironmentFailure."""
    drawn = matrix_drawings(verdict)
    tables = raw_tables(verdict)
    return write_page(folder, matrix_page(verdict, machine, events, drawn, tables), drawn, tables)


def matrix_page(
    verdict: Verdict,
    machine: Mapping[str, Any],
    events: Events,
    drawings: Sequence[Drawing],
    tables: Sequence[RawTable] = (),
) -> str:
    """The report. Every string in it is untrusted text; parts that are absent are named as such."""
    matrix, plan = verdict.matrix, verdict.plan
    return fill(
        "matrix.html",
        plan=plan,
        when=began(events),
        headline=headline(verdict),
        status_words=STATUS_WORDS,
        contents=_CONTENTS,
        criteria=criteria(verdict.findings),
        examples=examples(verdict),
        first=drawings[:1],
        decision_matrix=matrix_tables.decision_matrix(matrix),
        order=matrix_tables.order_table(matrix),
        drawings=drawings[1:],
        decisions=decision_table(verdict.decisions),
        claim_table=claim_table(verdict.claims),
        cells=matrix_tables.cell_table(matrix),
        tables=tables,
        command=shlex.join(("harness", *plan.command)),
        machine=settings("Machine, versions and settings", machine),
    )
