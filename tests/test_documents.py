"""Documents that say what is true."""

import json
import re
from pathlib import Path

import pytest

from harness.model.fault import Target
from harness.model.finding import Verdict
from tests.harness.checks.run.test_resilience import broken
from tests.harness.checks.sweep.test_scaling import judged, sweep_of
from tests.harness.recordings import HandMade

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted(path for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "bench").glob("*.md")))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    """A reader who follows a link within the repository finds a file."""
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text()):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target


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


def test_every_check_is_explained(verdict: Verdict, tmp_path: Path) -> None:
    """docs/results.md has a row for every finding of a verdict, of a run or a sweep, and none that no verdict has."""
    rows = set(re.findall(r"^\| `([a-z_.0-9-]+)` \|", (ROOT / "docs/results.md").read_text(), re.MULTILINE))
    found = {finding.check for finding in verdict.findings}
    found |= {finding.check for finding in judged(sweep_of()).findings}
    for target in Target:
        found |= {finding.check for finding in broken(target, recovery="manual").verdict(tmp_path).findings}
    assert rows == found


def test_every_measurement_is_explained(verdict: Verdict) -> None:
    """docs/results.md names every part of `measurements`."""
    text = (ROOT / "docs/results.md").read_text()
    words = set(re.findall(r"[a-z_]+", text))
    assert set(verdict.measurements) <= words
    assert set(verdict.measurements["delivery"]) <= words


def test_constraints_pin_names_and_versions_only() -> None:
    """No addresses: the constraints serve every index."""
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        assert re.fullmatch(r"[A-Za-z0-9_.-]+==[A-Za-z0-9.]+", line), line


def test_the_curves_are_json(verdict: Verdict) -> None:
    """What a verdict holds can be written as JSON as it is."""
    json.dumps(verdict.measurements, allow_nan=False)
