from pathlib import Path

import pytest

from harness.catalog import find, names
from harness.model.errors import UsageError

FILE = """
import dataclasses
import scenarios.scenario_a
SCENARIO = dataclasses.replace(scenarios.scenario_a.SCENARIO, name="mine")
"""


def test_every_scenario_is_found_by_its_name() -> None:
    assert names() == ("scenario-a", "scenario-b", "scenario-c", "scenario-d")
    for name in names():
        assert find(name).name == name


def test_a_scenario_is_found_by_its_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(FILE)
    assert find(str(path)).name == "mine"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "expected a readable Python file"),
        ("SCENARIO = 1", "expected a module-level SCENARIO"),
        ("", "expected a module-level SCENARIO"),
        ("import no_such_module", "cannot be loaded: ModuleNotFoundError"),
        ("def", "cannot be loaded: SyntaxError"),
        ("raise SystemExit", "cannot be loaded: SystemExit"),
        ("import sys; sys.exit(0)", "cannot be loaded: SystemExit: 0"),
        ("def f(): f()\nf()", "cannot be loaded: RecursionError"),
    ],
)
def test_a_file_without_a_scenario_is_refused(tmp_path: Path, text: str | None, words: str) -> None:
    path = tmp_path / "mine.py"
    if text is not None:
        path.write_text(text)
    with pytest.raises(UsageError, match=words):
        find(str(path))


@pytest.mark.parametrize("name", ["a" * 5_000 + ".py", "a/" * 3_000 + "a.py", "\udcff.py"])
def test_a_name_that_no_file_can_have_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="expected a readable Python file, found none"):
        find(name)


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="expected one of scenario-a, scenario-b, scenario-c, scenario-d, or the path"):
        find("scenario-z")


def test_what_lies_beside_the_file_can_be_imported(tmp_path: Path) -> None:
    """A random.py or json.py in that folder does not replace Python's own module."""
    (tmp_path / "my_numbers.py").write_text("CLIENTS = 12\n")
    (tmp_path / "random.py").write_text("raise SystemExit('foreign code ran')\n")
    path = tmp_path / "json.py"
    path.write_text("import json, random\nimport my_numbers\nassert json.loads('1') == 1\n" + FILE)
    assert find(str(path)).name == "mine"


def test_a_scenario_that_cannot_run_is_refused_with_every_reason(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(
        "import dataclasses\nimport scenarios.scenario_a\nA = scenarios.scenario_a.SCENARIO\n"
        "SCENARIO = dataclasses.replace(A, name='../../evil', load=dataclasses.replace(A.load, rate_hz=0))\n"
    )
    with pytest.raises(UsageError) as refused:
        find(str(path))
    assert len(refused.value.objections) == 2
    assert "mine.py: SCENARIO.name" in refused.value.objections[0]
