"""Judges and renders a folder of results of any kind: a run, a sweep, a matrix or a capacity search.

Each kind is imported where it is needed. The modules of sweeps, matrices and capacity searches also start clusters:
what they import would take a third of the time of `harness judge` on the recording of a small run.
"""

from pathlib import Path

from harness import judging
from harness.model.finding import Verdict
from harness.recording.capacity_folder import is_capacity_folder
from harness.recording.matrix_folder import is_matrix_folder
from harness.recording.sweep_folder import is_sweep_folder


def judge_folder(folder: Path) -> Verdict:
    """Judge a run, a sweep or a matrix again."""
    if is_matrix_folder(folder):
        from harness.matrix_experiment import judge_matrix_folder

        return judge_matrix_folder(folder)
    if is_sweep_folder(folder):
        from harness.sweep_experiment import judge_sweep_folder

        return judge_sweep_folder(folder)
    return judging.judge_recording(folder)


def render_folder(folder: Path, base: str | None = None, results: Path = Path("results")) -> Path:
    """Render a run, a sweep, a matrix or a capacity search again; with ``base`` (a folder, or a name in ``results``)
    the report of a run also has the curves of that run. Raises UsageError."""
    if base is not None:
        from harness.base_run import find_base

        return judging.render_report(folder, find_base(results, base, folder))
    if is_capacity_folder(folder):
        from harness.capacity_experiment import render_capacity

        return render_capacity(folder)
    if is_matrix_folder(folder):
        from harness.matrix_experiment import render_matrix

        return render_matrix(folder)
    if is_sweep_folder(folder):
        from harness.sweep_experiment import render_sweep

        return render_sweep(folder)
    return judging.render_report(folder)
