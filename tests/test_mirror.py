"""Tests mirror the source: a module with logic has a test file of its name in the mirrored place."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LOGIC = (ast.If, ast.IfExp, ast.For, ast.AsyncFor, ast.While, ast.Try, ast.match_case, ast.BoolOp, ast.comprehension)
LOGIC_AT_LEAST = 5
ELSEWHERE = {
    "harness/comparison_commands.py": "only declares options; tests/harness/test_compare_console.py runs its commands",
    "harness/output_options.py": "only declares options; tests/harness/outputs/ and test_publishing.py use what they give",
    "harness/playground.py": "starts real clusters; tests/end_to_end/ does so",
    "harness/environments/embedded/kafka_child.py": "starts a real Kafka; test_kafka_programs.py tests what with",
}
"""Modules with logic and without a test file of their own, and why."""


def logic(path: Path) -> int:
    """Branches, loops, comprehensions and conditions with several parts in this file."""
    return sum(isinstance(node, LOGIC) for node in ast.walk(ast.parse(path.read_text())))


def mirrored(name: str) -> Path:
    """Where the tests of a source file lie."""
    path = ROOT / "tests" / name
    return path.with_name(f"test_{path.name}")


WITH_LOGIC = [
    str(path.relative_to(ROOT))
    for folder in ("harness", "reference_server")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if logic(path) >= LOGIC_AT_LEAST
]


@pytest.mark.parametrize("name", WITH_LOGIC)
def test_a_module_with_logic_has_its_test_file(name: str) -> None:
    """A file with a test in it; what stands in ELSEWHERE has none."""
    path = mirrored(name)
    if name in ELSEWHERE:
        assert not path.exists(), f"{name} has its tests now: take it out of ELSEWHERE"
        return
    assert path.exists(), f"{name} has logic and no {path.relative_to(ROOT)}"
    found = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)]
    assert any(node.name.startswith("test_") for node in found), f"{path} has no test"


def test_only_modules_with_logic_are_excused() -> None:
    """An entry of a module that is gone, or has become a mere value, is taken out."""
    assert set(ELSEWHERE) <= set(WITH_LOGIC)
