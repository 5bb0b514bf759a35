"""A comparison as one HTML page: verdict, measures, both curves, what differs."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from harness.model.comparison import Change, Comparison
from harness.model.finding import Verdict
from harness.recording.format import REPORT
from harness.report.page.files import write_page
from harness.report.page.templates import fill, script
from harness.report.plots.comparison_figures import comparison_drawings
from harness.report.plots.drawing import Drawing
from harness.report.text import comparison_tables as tables
from harness.report.text.headline import Headline
from harness.report.text.measure_words import measure_title, signed_percent
from harness.report.text.quantities import SPACE
from harness.report.text.tile import Tile

POINTS_MAX = 6
"""points of a sweep whose curves are drawn"""
_TILES = 6

Curves = Mapping[str, tuple[Sequence[Verdict], Sequence[Verdict]]]
"""Point → the verdicts with curves that still exist, of BASE and of RUN."""


def write_comparison_page(folder: Path, results: Path, comparison: Comparison, curves: Curves, command: str) -> Path:
    """Write ``plots/`` and ``report.html`` into ``folder``; returns the page's path. Raises EnvironmentFailure."""
    drawn: list[tuple[str, tuple[Drawing, ...]]] = []
    for number, (point, sides) in enumerate(list(curves.items())[:POINTS_MAX]):
        drawn.append((point, comparison_drawings((sides[0], sides[1]), f"point-{number}", point)))
    html = comparison_page(comparison, drawn, _links(folder, results, comparison), command)
    return write_page(folder, html, [drawing for _, drawings in drawn for drawing in drawings])


def comparison_page(
    comparison: Comparison, drawn: Sequence[tuple[str, Sequence[Drawing]]], links: Sequence[str], command: str
) -> str:
    """Every string in it is untrusted text; ``links`` are the reports of BASE, then of RUN, empty if there is none."""
    code, source = script()
    return fill(
        "comparison.html",
        script=code,
        script_source=source,
        comparison=comparison,
        headline=_headline(comparison),
        safety=tables.safety_table(comparison),
        differences=tables.difference_table("Differences that forbid a verdict", comparison.differences),
        noted=tables.difference_table("Differences that are allowed", comparison.noted),
        measures=tables.measure_table(comparison),
        left_out=tables.left_out_table(comparison),
        groups=tables.group_table(comparison, links),
        drawn=[(point, drawings) for point, drawings in drawn if drawings],
        command=command,
    )


def _headline(comparison: Comparison) -> Headline:
    tiles = [
        Tile(
            name=measure_title(measure.measure),
            figure=signed_percent(measure.percent).replace(f"{SPACE}%", ""),
            unit="%",
            notes=(f"{measure.point}" if measure.point else "", tables.ends(measure), tables.WORDS[measure.change]),
            status="fail" if measure.change is Change.WORSE else "",
        )
        for measure in tables.ordered(comparison.measures)
        if measure.percent is not None
    ]
    return Headline(
        status=comparison.status,
        word=tables.verdict_word(comparison),
        sentence=f"{tables.comparison_sentence(comparison)}.",
        tiles=tuple(tiles[:_TILES]),
    )


def _links(folder: Path, results: Path, comparison: Comparison) -> list[str]:
    found = []
    for entry in (*comparison.base, *comparison.run):
        report = (results / entry.run / REPORT).resolve()
        found.append(quote(Path(os.path.relpath(report, folder.resolve())).as_posix()) if report.is_file() else "")
    return found
