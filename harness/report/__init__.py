"""Verdict → HTML, figures, terminal. Pure but for `files` and `index`, which write; matplotlib and Jinja are imported
only when something is rendered."""

from harness.report.files import write_report
from harness.report.index import write_index

__all__ = ["write_index", "write_report"]
