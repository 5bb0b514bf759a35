"""From a recording to its verdict and its report, both written beside it."""

from pathlib import Path

from harness import __version__
from harness.model.base_run import BaseRun
from harness.model.finding import Verdict


def judge_recording(folder: Path) -> Verdict:
    """Judge the recording in ``folder`` and write verdict.json and series.json beside it if that is possible."""
    from harness.checks.judge import judge
    from harness.recording.reader import Recording
    from harness.recording.writer import write_verdict

    verdict = judge(Recording.open(folder))
    write_verdict(folder, verdict)
    return verdict


def render_report(folder: Path, base: BaseRun | None = None) -> Path:
    """Write report.html, plots and tables from the verdict in ``folder``, with the curves of ``base`` beside its own, and
    the index of all results. Returns the page."""
    from harness.history.last_matrix import last_matrix
    from harness.recording.proof_folder import last_proof
    from harness.recording.reader import read_events, read_machine, read_verdict
    from harness.report import write_index, write_report

    verdict = read_verdict(folder)
    machine = read_machine(folder)
    newest = (last_proof(__version__), last_matrix(folder, machine))
    page = write_report(folder, verdict, machine, read_events(folder), *newest, base)
    # Only where it lies among other results: not above a copy, nor above a run of a sweep, which has its own report.
    if folder.resolve().parent.name == verdict.plan.scenario:
        write_index(folder.resolve().parent.parent)
    return page
