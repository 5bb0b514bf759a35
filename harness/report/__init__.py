"""Verdict → HTML, figures, terminal. Pure, except `files` and `index`, which write files; matplotlib and Jinja are
imported only when something is rendered."""

from harness.report.page.files import write_report
from harness.report.page.index import write_index

__all__ = ["write_index", "write_report"]
