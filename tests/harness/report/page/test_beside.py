"""The section that shows another run (BASE) beside the report's own run."""

from dataclasses import replace

from harness.model.base_run import BaseRun
from harness.model.comparison import Difference
from harness.model.finding import Status
from harness.report.page.beside import beside_base
from harness.report.page.run_page import page
from tests.harness.report import verdicts
from tests.harness.report.drawn import NONE
from tests.harness.report.html import Document

HOSTILE = "<script>alert(1)</script>"
RUN = verdicts.passed()
SMALL = replace(RUN, series={name: RUN.series[name] for name in ("latency", "percentiles")})
OTHER = (Difference(what="servers", base="2", run="4"), Difference(what="machine: cores", base="8", run="2"))


def base(name: str = "baseline:release", differences: tuple[Difference, ...] = ()) -> BaseRun:
    return BaseRun(name=name, verdicts=(SMALL,), differences=differences)


def test_percentiles_time_and_steps_of_both_are_drawn() -> None:
    """The legend names BASE and RUN."""
    found = beside_base(SMALL, base())
    assert [drawing.name for drawing in found.drawings] == ["base_percentiles", "base_latency_p99", "base_steps"]
    assert all("BASE baseline:release" in drawing.svg and ">RUN<" in drawing.svg for drawing in found.drawings)


def test_every_difference_is_in_one_sentence() -> None:
    """The sentence says that the two runs are not comparable and names the differences. The table has both values."""
    found = beside_base(SMALL, base(differences=OTHER))
    assert not found.comparable
    assert "not comparable" in found.sentence
    assert "they differ in servers, machine: cores." in found.sentence
    assert found.differences is not None
    rows = [tuple(cell.text for cell in row) for row in found.differences.rows]
    assert rows == [("servers", "2", "4"), ("machine: cores", "8", "2")]
    assert "not comparable" not in beside_base(SMALL, base()).sentence


def test_how_the_runs_of_base_ended_is_told() -> None:
    """A failed run is no valid reference, so the sentence names the verdicts of BASE."""
    assert "BASE is baseline:release (1\u00a0run: PASS)." in beside_base(SMALL, base()).sentence
    three = replace(base(), verdicts=(SMALL, SMALL, replace(SMALL, status=Status.FAIL)))
    assert "(3\u00a0runs: 2 PASS, 1 FAIL)" in beside_base(SMALL, three).sentence


def test_the_section_stands_on_the_page_and_hostile_names_are_text() -> None:
    """The section replaces curves by a sentence if BASE and RUN have none in common. Without BASE the page has no such
    section."""
    verdict = replace(SMALL, run=None, series={})
    beside = beside_base(verdict, base(HOSTILE, (Difference(what=HOSTILE, base=HOSTILE, run=HOSTILE),)))
    html = page(verdict, verdicts.MACHINE, verdicts.EVENTS, NONE, beside=beside)
    document = Document(html)
    assert document.problems == []
    assert document.tags["script"] == 1
    assert document.text.count(HOSTILE) > 3
    assert "BASE and RUN have no curve in common" in document.text
    assert 'href="#base"' not in page(verdict, verdicts.MACHINE, verdicts.EVENTS, NONE)
