"""The page of a comparison."""

from dataclasses import replace
from pathlib import Path

from harness.report.page.comparison_page import comparison_page, write_comparison_page
from tests.harness.report import verdicts
from tests.harness.report.comparisons import HOSTILE, a_comparison, a_difference
from tests.harness.report.html import Document


def test_the_page_has_verdict_measures_and_both_curves(tmp_path: Path) -> None:
    """Safety comes before the other measures. One figure holds the curves of both sides, and the figures are also
    written as files."""
    curves = {"": ([verdicts.passed()], [verdicts.passed(), verdicts.failed()])}
    page = write_comparison_page(tmp_path / "compare", tmp_path, a_comparison(), curves, "harness compare a b")
    html = page.read_text()
    document = Document(html)
    assert document.problems == []
    assert html.index("Safety first") < html.index("CPU per delivery, servers</span>")
    assert "Distribution of delivery latency" in html
    assert "RUN (2 runs)" in html
    assert document.tags["figure"] >= 3
    assert (tmp_path / "compare" / "plots" / "point-0_percentiles.svg").exists()


def test_what_is_not_comparable_says_why_and_draws_nothing(tmp_path: Path) -> None:
    """The page shows each difference with both values, and no measure."""
    html = write_comparison_page(tmp_path / "x", tmp_path, a_difference(), {}, "harness compare a b").read_text()
    assert "NOT COMPARABLE" in html
    assert "machine: cpu" in html
    assert "No measure was compared." in html
    assert "No curves" in html


def test_words_from_outside_are_escaped() -> None:
    """The names of a machine and of a run come from outside."""
    html = comparison_page(a_difference(), [], ["", ""], HOSTILE)
    assert HOSTILE not in html


def test_links_lead_to_reports_that_exist(tmp_path: Path) -> None:
    """Links are relative to the page. A run whose report is missing has no link."""
    comparison = a_comparison()
    report = tmp_path / comparison.base[0].run / "report.html"
    report.parent.mkdir(parents=True)
    report.write_text("x")
    page = write_comparison_page(tmp_path / "compare" / "t", tmp_path, comparison, {}, "c")
    links = [address for address in Document(page.read_text()).addresses if address.endswith("report.html")]
    assert [(page.parent / link).resolve() for link in links] == [report.resolve()]


def test_across_says_that_it_is_no_verdict() -> None:
    """The page still shows the measures."""
    html = comparison_page(replace(a_comparison(), safety=(), across=True), [], ["", ""], "c")
    assert "NO VERDICT" in html
