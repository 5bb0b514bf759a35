"""The harness proves itself on this machine with the real command `harness prove --quick`."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.prove.registry import PLANTED_BUGS

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]


def test_the_quick_proof_comes_out_right(tmp_path: Path) -> None:
    """The exit code is 0, and every planted bug is found with its exact count. The command leaves a page, and a note
    for later reports."""
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "harness.cli", "prove", "--quick", "--force", "--json"),
            *("--out", str(tmp_path / "results")),
        ],
        capture_output=True,
        text=True,
        timeout=580,
        env={**os.environ, "XDG_STATE_HOME": str(tmp_path / "state")},
    )
    proof = json.loads(ended.stdout)
    assert [row["name"] for row in proof["rows"]] == [
        *(bug.name for bug in PLANTED_BUGS if bug.quick),
        "faithful-01",
    ]
    assert {row["name"]: row["wrong"] for row in proof["rows"] if row["wrong"]} == {}, ended.stderr
    assert ended.returncode == 0
    (page,) = tmp_path.glob("results/prove/*/proof.html")
    assert "PROVED" in page.read_text()
    (note,) = (tmp_path / "state").rglob("proof-*.json")
    assert json.loads(note.read_text())["page"] == str(page)
