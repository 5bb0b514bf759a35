"""The page of a capacity search."""

from dataclasses import replace
from pathlib import Path

from harness.report.page.capacity_page import capacity_page, write_capacity_report
from tests.harness.searches import a_capacity


def test_the_page_has_the_curves_and_every_step(tmp_path: Path) -> None:
    """The page contains both figures. The figures are also written as files."""
    page = write_capacity_report(tmp_path, a_capacity())
    html = page.read_text()
    assert html.count("<figure>") == 2
    assert "Delivery latency over the load" in html
    assert html.count("runs/0") == 6
    assert {path.name for path in (tmp_path / "plots").iterdir()} == {
        f"capacity_{name}.{ending}" for name in ("latency", "cpu") for ending in ("svg", "png")
    }


def test_a_search_without_steps_has_a_page() -> None:
    """The page says that no step was measured."""
    html = capacity_page(replace(a_capacity(), steps=(), value=None, broke_at=None, exhaustion=None), ())
    assert "No step was measured." in html
    assert "No step was made." in html


def test_words_from_outside_are_escaped() -> None:
    """A reason may quote the text of a server."""
    capacity = a_capacity()
    steps = (replace(capacity.steps[0], because="<script>alert(1)</script>"),)
    assert "<script>" not in capacity_page(replace(capacity, steps=steps), ())
