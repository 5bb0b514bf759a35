"""The rooms (packages) of the report, and which room may import which."""

import ast
from pathlib import Path

import pytest

REPORT = Path(__file__).resolve().parents[3] / "harness" / "report"
BELOW = {"page": {"page", "plots", "raw", "text"}, "raw": {"raw", "text"}, "plots": {"plots", "text"}, "text": {"text"}}


@pytest.mark.parametrize("room", BELOW)
def test_imports_point_from_page_to_plots_to_text(room: str) -> None:
    """A room may import itself and the rooms below it, so the text does not need matplotlib."""
    for path in (REPORT / room).glob("*.py"):
        modules = [
            node.module or "" for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)
        ]
        used = {module.split(".")[2] for module in modules if module.startswith("harness.report.")}
        assert used <= BELOW[room], path


def test_no_product_is_named() -> None:
    """Titles of products come from the registries of the model."""
    for path in REPORT.rglob("*"):
        if path.suffix in (".py", ".html", ".css", ".js"):
            words = path.read_text().lower()
            assert "redis" not in words, path
            assert "valkey" not in words, path
