"""The tests mirror the source: each module with logic has a test file with its name in the mirrored place."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LOGIC = (ast.If, ast.IfExp, ast.For, ast.AsyncFor, ast.While, ast.Try, ast.match_case, ast.BoolOp, ast.comprehension)
LOGIC_AT_LEAST = 5


def logic(text: str) -> int:
    """The number of branches, loops, comprehensions and conditions with several parts in this source."""
    return sum(isinstance(node, LOGIC) for node in ast.walk(ast.parse(text)))


def mirrored(name: str) -> Path:
    """The path of the test file of a source file."""
    path = ROOT / "tests" / name
    return path.with_name(f"test_{path.name}")


SOURCES = [
    str(path.relative_to(ROOT))
    for folder in ("harness", "reference_server")
    for path in sorted((ROOT / folder).rglob("*.py"))
]


@pytest.mark.parametrize("name", SOURCES)
def test_a_module_with_logic_has_its_test_file(name: str) -> None:
    """The file holds at least one test. There is no exception."""
    if logic((ROOT / name).read_text()) < LOGIC_AT_LEAST:
        return
    path = mirrored(name)
    assert path.exists(), f"{name} has logic and no {path.relative_to(ROOT)}"
    found = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)]
    assert any(node.name.startswith("test_") for node in found), f"{path} has no test"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("x = 1\nclass A:\n    b: int\n", 0),
        ("def f(a):\n    return [b for b in a if b and a] if a else ()\n", 3),
        ("for a in b:\n    try:\n        pass\n    except E:\n        pass\n", 2),
    ],
)
def test_values_have_no_logic(text: str, parts: int) -> None:
    """Branches, loops and conditions are counted. Assignments, classes and calls are not."""
    assert logic(text) == parts
