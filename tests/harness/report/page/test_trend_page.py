"""The page of a trend."""

from pathlib import Path

from harness.model.trend import Trend
from harness.report.page.trend_page import trend_page, write_trend_page
from tests.harness.report.comparisons import HOSTILE, a_trend
from tests.harness.report.html import Document


def test_the_page_shows_changes_machines_and_verdicts(tmp_path: Path) -> None:
    """The page shows the change with its levels and the other machine as a note. It has a square for each run and a
    figure for each measure."""
    html = write_trend_page(tmp_path, a_trend()).read_text()
    document = Document(html)
    assert document.problems == []
    assert "1 change for the worse" in html
    assert "cores 2 → 3" in html
    assert document.tags["i"] == 40
    assert document.tags["figure"] == 1
    assert "2 lines of the history could not be read" in html


def test_words_and_paths_from_the_history_do_no_harm(tmp_path: Path) -> None:
    """Labels are escaped, and a run that names a path outside the results has no link."""
    html = trend_page(tmp_path, a_trend())
    assert HOSTILE not in html
    assert not [address for address in Document(html).addresses if ".." in address]


def test_an_empty_history_has_a_page(tmp_path: Path) -> None:
    """The page says that there are no runs."""
    assert "No runs" in trend_page(tmp_path, Trend())
