"""A capacity search → one HTML page, with links to the recording of every step."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from harness.model.capacity import Capacity
from harness.report.page.files import write_page
from harness.report.page.templates import fill
from harness.report.plots.capacity_figures import capacity_drawings
from harness.report.plots.drawing import Drawing
from harness.report.text.capacity_words import capacity_headline, step_table
from harness.report.text.run_tables import plan_table, reductions
from harness.report.text.size_words import size_line


def write_capacity_report(folder: Path, capacity: Capacity) -> Path:
    """Write ``plots/`` and ``report.html`` into ``folder``; returns the page's path. Raises EnvironmentFailure."""
    drawn = capacity_drawings(capacity)
    return write_page(folder, capacity_page(capacity, drawn), drawn)


def capacity_page(capacity: Capacity, drawings: Sequence[Drawing]) -> str:
    """The report. Every string in it is untrusted text."""
    plan = capacity.plan.plan
    return fill(
        "capacity.html",
        plan=plan,
        vary=capacity.plan.vary,
        headline=capacity_headline(capacity),
        size=size_line(plan),
        reductions=reductions(plan),
        drawings=drawings,
        steps=step_table(capacity),
        settings=plan_table(plan),
        command=shlex.join(("harness", *plan.command)),
    )
