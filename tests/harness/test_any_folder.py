"""Each kind of folder is judged and rendered by its own function."""

import subprocess
import sys
from pathlib import Path

import pytest

from harness import any_folder, capacity_experiment, judging, matrix_experiment, sweep_experiment

KINDS = ("is_capacity_folder", "is_matrix_folder", "is_sweep_folder")
FUNCTIONS = {
    capacity_experiment: ("render_capacity",),
    matrix_experiment: ("judge_matrix_folder", "render_matrix"),
    sweep_experiment: ("judge_sweep_folder", "render_sweep"),
}


@pytest.mark.parametrize(
    ("kind", "judged", "rendered"),
    [
        ("is_capacity_folder", "judging.judge_recording", "render_capacity"),
        ("is_matrix_folder", "judge_matrix_folder", "render_matrix"),
        ("is_sweep_folder", "judge_sweep_folder", "render_sweep"),
        ("none of them", "judging.judge_recording", "judging.render_report"),
    ],
)
def test_a_folder_is_handled_as_what_it_is(
    monkeypatch: pytest.MonkeyPatch, kind: str, judged: str, rendered: str
) -> None:
    """A capacity search has no verdict that could be judged again. So it goes to the judge of runs, which refuses
    it."""
    for name in KINDS:
        monkeypatch.setattr(any_folder, name, lambda _, is_it=name == kind: is_it)
    for module, names in FUNCTIONS.items():
        for name in names:
            monkeypatch.setattr(module, name, lambda folder, name=name: (name, folder))
    for name in ("judge_recording", "render_report"):
        monkeypatch.setattr(judging, name, lambda folder, name=name: (f"judging.{name}", folder))
    folder = Path("somewhere")
    assert any_folder.judge_folder(folder) == (judged, folder)
    assert any_folder.render_folder(folder) == (rendered, folder)


def test_a_run_is_judged_without_the_modules_that_start_clusters() -> None:
    """Importing them would take a third of the time of `harness judge` on a small run."""
    script = "import harness.any_folder, harness.checks.judge, sys; print('aiohttp' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"
