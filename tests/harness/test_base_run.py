"""`harness report RUN --base BASE` from the command line to the page."""

import shutil
from dataclasses import replace
from pathlib import Path

from harness.history.baselines import set_baseline
from harness.history.folders import entries_of
from tests.harness.report import verdicts
from tests.harness.results_on_disk import a_run
from tests.harness.test_commands import command

WHOLE = verdicts.passed()
SMALL = replace(WHOLE, series={"percentiles": WHOLE.series["percentiles"]})
"""A run with one figure, because drawing takes most of the time."""


def test_a_folder_is_drawn_beside_the_run(tmp_path: Path) -> None:
    """The page names the base run. A later report without --base no longer shows it."""
    base, run = a_run(tmp_path, "a", SMALL), a_run(tmp_path, "b", SMALL)
    shown = command("report", str(run), "--base", str(base), "--out", str(tmp_path))
    assert shown.exit_code == 0, shown.output
    html = (run / "report.html").read_text()
    assert "BASE is scenario-a/a (" in html
    assert "Plan and machine are the same" in html
    assert (run / "plots" / "base_percentiles.svg").exists()
    assert command("report", str(run)).exit_code == 0
    assert "BASE is" not in (run / "report.html").read_text()
    assert not (run / "plots" / "base_percentiles.svg").exists()


def test_a_baseline_is_drawn_by_its_name_and_differences_are_told(tmp_path: Path) -> None:
    """A base run with another plan is drawn too. The page says that the two runs are not comparable."""
    other = replace(SMALL, plan=replace(SMALL.plan, servers=8))
    base, run, out = a_run(tmp_path, "a", other), a_run(tmp_path, "b", SMALL), ("--out", str(tmp_path))
    assert command("baseline", "set", "release", str(base), *out).exit_code == 0
    shown = command("report", str(run), "--base", "baseline:release", *out)
    assert shown.exit_code == 0, shown.output
    html = (run / "report.html").read_text()
    assert "BASE is baseline:release (" in html
    assert "BASE and RUN are not comparable: they differ in servers." in html


def test_usage_errors_are_one_message_and_the_report_stays(tmp_path: Path) -> None:
    """The exit code is 2 for an unknown name, the run itself, a baseline whose recording is gone, and a sweep. No
    report is written."""
    base, run, out = a_run(tmp_path, "a", SMALL), a_run(tmp_path, "b", SMALL), ("--out", str(tmp_path))
    command("baseline", "set", "gone", str(base), *out)
    sweep = tuple(replace(entry, kind="sweep") for entry in entries_of(base, tmp_path))
    set_baseline(tmp_path, "sweep", sweep)
    shutil.rmtree(base)
    for name, words in (
        ("", "expected a run's folder"),
        ("nowhere", "found 'nowhere'"),
        ("baseline:none", "unknown baseline 'none'"),
        (str(run), "both sides"),
        ("baseline:gone", "choose a run that is there"),
        ("baseline:sweep", "expected single runs, found a sweep as BASE"),
    ):
        shown = command("report", str(run), "--base", name, *out)
        assert shown.exit_code == 2, (name, shown.output)
        assert words in shown.output
        assert shown.output.count("harness:") == 1
    assert not (run / "report.html").exists()
