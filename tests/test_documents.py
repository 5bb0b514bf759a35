"""The documents agree with the code and with each other."""

import json
import re
from dataclasses import fields
from pathlib import Path

import msgspec
import pytest

from harness.checks.matrix.matrix_checks import MATRIX_CHECKS
from harness.checks.registry import CHECKS
from harness.checks.sweep.sweep_checks import SWEEP_CHECKS
from harness.model.fault import Target
from harness.model.finding import Verdict
from tests.harness.checks.matrix.test_matrix_judging import judged_matrix, matrix_of
from tests.harness.checks.run.test_resilience import broken
from tests.harness.checks.sweep.test_scaling import judged, sweep_of
from tests.harness.model.measurements.examples import structs
from tests.harness.recordings import HandMade

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted(path for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "bench").glob("*.md")))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    """A reader who follows a link within the repository finds a file."""
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text()):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", sorted((ROOT / "docs/experiments").glob("*.md")), ids=lambda page: page.stem)
@pytest.mark.parametrize(
    "needed",
    [
        r"\b\d{1,2} (January|February|March|April|May|June|July|August|September|October|November|December) 20\d\d\b",
        r"\b\d+ cores of (AMD|Intel|Apple|Arm|IBM) \w+.*\d+ GB, Linux \d+\.\d+, Python 3\.\d+",
        r"`(harness|python -m bench) [^`]+`",
    ],
    ids=["date", "machine", "command"],
)
def test_an_experiment_names_date_machine_and_command(page: Path, needed: str) -> None:
    """A reader must be able to see where a figure is from, and repeat it."""
    assert re.search(needed, " ".join(page.read_text().split()))


def test_the_diagram_of_the_message_flow_is_the_one_in_its_file() -> None:
    """docs/message-flow.md shows the diagram of docs/diagrams."""
    block = re.search(r"```mermaid\n(.*?)```", (ROOT / "docs/message-flow.md").read_text(), re.DOTALL)
    assert block is not None
    assert block[1].strip() == (ROOT / "docs/diagrams/multi-server-message-flow.mmd").read_text().strip()


@pytest.fixture
def verdict(tmp_path: Path) -> Verdict:
    run = HandMade()
    run.post(0)
    return run.verdict(tmp_path)


def rows_of(page: str, columns: int) -> list[tuple[str, ...]]:
    """The rows of all tables with this many columns whose first cell is code. The backticks of that cell are
    removed."""
    found = []
    for line in (ROOT / page).read_text().splitlines():
        cells = tuple(cell.strip() for cell in line.removeprefix("| ").removesuffix(" |").split(" | "))
        if line.startswith("| `") and len(cells) == columns:
            found.append((cells[0].strip("`"), *cells[1:]))
    return found


def test_every_check_has_its_row() -> None:
    """The tables of checks in docs/results.md have the rows of the registries, in their order."""
    expected = [
        (
            check.name,
            str(check.kind) if check.bias is None else f"{check.kind}, {check.bias}",
            check.red_when,
            check.what_to_do,
        )
        for registry in (CHECKS, SWEEP_CHECKS, MATRIX_CHECKS)
        for check in registry
    ]
    assert rows_of("docs/results.md", 4) == expected


def test_every_check_has_its_planted_bug() -> None:
    """The test that a check names exists."""
    for check in (*CHECKS, *SWEEP_CHECKS, *MATRIX_CHECKS):
        path, _, name = check.planted_bug.partition("::")
        assert f"\ndef {name}(" in (ROOT / path).read_text(), check.name


def test_every_check_is_asked(verdict: Verdict, tmp_path: Path) -> None:
    """Each check of the registries gives a finding in some run, sweep or matrix. No other finding exists."""
    rows = {*CHECKS.names, *SWEEP_CHECKS.names, *MATRIX_CHECKS.names}
    found = {finding.check for finding in verdict.findings}
    found |= {finding.check for finding in judged(sweep_of()).findings}
    found |= {finding.check for finding in judged_matrix(matrix_of()).findings}
    for target in Target:
        found |= {finding.check for finding in broken(target, recovery="manual").verdict(tmp_path).findings}
    assert rows == found


def test_every_field_is_documented() -> None:
    """docs/results.md names every field of every type of the measurements, and no other field."""
    documented = {name: fields.strip("`").split(", ") for name, fields, _ in rows_of("docs/results.md", 3)}
    assert documented == {kind.__name__: [field.name for field in fields(kind)] for kind in structs()}


def test_constraints_pin_names_and_versions_only() -> None:
    """The constraints hold no addresses, so they work with every package index."""
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        assert re.fullmatch(r"[A-Za-z0-9_.-]+==[A-Za-z0-9.]+", line), line


def test_the_curves_are_json(verdict: Verdict) -> None:
    """A verdict can be written as JSON, which has no infinity and no NaN."""
    json.dumps(msgspec.to_builtins(verdict), allow_nan=False)


def test_every_event_has_its_row() -> None:
    """docs/recording.md names every event that the harness writes to events.jsonl with a literal name."""
    code = "\n".join(path.read_text() for path in sorted((ROOT / "harness").rglob("*.py")))
    words = set(re.findall(r"\.event\(\s*\"([a-z-]+)\"", code))
    cells = [cell for cell, _ in rows_of("docs/recording.md", 2)]
    documented = {word for cell in cells for word in cell.replace("`", "").split(", ")}
    assert "step" in words
    assert words <= documented, words - documented
