"""Figures of the made-up verdicts, drawn once for all tests, because drawing takes time."""

from dataclasses import replace
from functools import cache

from harness.report.plots.figures import Drawings, drawings
from tests.harness.report import outage_verdicts, verdicts

VERDICTS = {
    "passed": verdicts.passed,
    "failed": verdicts.failed,
    "empty": verdicts.empty,
    "outage": outage_verdicts.outage,
}
NONE = Drawings(drawn=(), missing=())
"""for page tests that check no figures"""


@cache
def drawn(name: str) -> Drawings:
    """The figures of the verdict ``name``, with its events. For the failed run only two figures are drawn."""
    verdict = VERDICTS[name]()
    if name == "failed":
        verdict = replace(verdict, series={curve: verdict.series[curve] for curve in ("latency", "percentiles")})
    return drawings(verdict, outage_verdicts.EVENTS if name == "outage" else verdicts.EVENTS)
