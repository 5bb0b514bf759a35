"""`harness trend` and `harness baseline`: their output, changes and refusals."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from harness import trend_console
from harness.exit_codes import ExitCode
from harness.history.change_points import SEGMENT_AT_LEAST
from harness.history.history_file import append_entry, read_history
from harness.model.errors import EnvironmentFailure, UsageError
from tests.harness.history.entries import an_entry
from tests.harness.report import verdicts
from tests.harness.results_on_disk import a_run, slower
from tests.harness.test_commands import command
from tests.harness.test_compare_console import seven


def test_a_trend_alarms_until_the_change_is_accepted(tmp_path: Path) -> None:
    """With --fail-on-change the exit code is 1, and the output says how to accept the change. After it was accepted,
    the exit code is 0."""
    for i in range(16):
        a_run(tmp_path, "n" * (i + 1), slower(verdicts.passed(), (20 if i >= 8 else 0) + i % 3 * 0.2))
    out = ("--out", str(tmp_path))
    alarm = command("trend", *out, "--fail-on-change", "10")
    assert alarm.exit_code == 1, alarm.output
    assert "--accept" in alarm.output
    assert (tmp_path / "trend.html").exists()
    wide = command("trend", *out, "--fail-on-change", "10", "--margin", "50")
    assert wide.exit_code == 0, wide.output
    assert "within the margin of 50 %" in wide.output
    assert command("trend", *out, "--margin", "nothing=3").exit_code == 2
    first = str(tmp_path / "scenario-a" / ("n" * 9))
    assert command("trend", *out, "--accept", first).exit_code == 2
    accepted = command("trend", *out, "--accept", first, "--reason", "twice the checks", "--fail-on-change", "10")
    assert accepted.exit_code == 0, accepted.output
    assert "twice the checks" in accepted.output


def test_a_window_in_which_nothing_can_be_found_is_refused(tmp_path: Path) -> None:
    """A change is found only with four runs after it. A window of three runs would never alarm."""
    assert command("trend", "--out", str(tmp_path), "--fail-on-change", "3").exit_code == 2
    assert SEGMENT_AT_LEAST == 4


def test_a_rebuild_reads_the_recordings(tmp_path: Path) -> None:
    """A lost history is rebuilt, and the CSV file for Otava has every run."""
    seven(tmp_path)
    (tmp_path / "history.jsonl").unlink()
    table = tmp_path / "otava.csv"
    shown = command("trend", "--out", str(tmp_path), "--rebuild", "--export", str(table), "--json")
    assert shown.exit_code == 0, shown.output
    assert len(json.loads(shown.stdout)["series"][0]["entries"]) == 7
    assert len(table.read_text().splitlines()) == 8


def two_plans(results: Path) -> None:
    """A history of two series with one run each."""
    append_entry(results, an_entry(0))
    append_entry(results, replace(an_entry(1), plan_key="plan1", run="scenario-a/wide"))


def test_only_one_series_can_be_exported(tmp_path: Path) -> None:
    """The named one of two series is exported. An unknown name is refused with the number of matches."""
    two_plans(tmp_path)
    table = tmp_path / "t.csv"

    def export(key: str, path: Path = table) -> ExitCode:
        return trend_console.show(
            tmp_path,
            scenario="",
            with_doubtful=False,
            margins=(),
            fail_on_change=None,
            export=path,
            plan_key=key,
            as_json=True,
        )

    for key, found in (("", 2), ("other", 0)):
        with pytest.raises(UsageError, match=f"expected one series, found {found}"):
            export(key)
    assert not table.exists()
    assert export("plan1") is ExitCode.PASS
    assert len(table.read_text().splitlines()) == 2
    with pytest.raises(EnvironmentFailure, match="cannot be written"):
        export("plan1", tmp_path)


def test_an_empty_history_is_shown_without_an_alarm(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a series there is no page, and no change for the worse."""
    code = trend_console.show(
        tmp_path,
        scenario="",
        with_doubtful=False,
        margins=(),
        fail_on_change=10,
        export=None,
        plan_key="",
        as_json=False,
    )
    assert code is ExitCode.PASS
    assert "page:" not in capsys.readouterr().out
    assert not (tmp_path / "trend.html").exists()


def test_a_change_is_accepted_for_a_run_that_is_known_and_with_a_reason(tmp_path: Path) -> None:
    """The run is given by its name in the history or by its folder. Spaces alone are no reason."""
    two_plans(tmp_path)
    for run, reason, words in (
        ("scenario-a/wide", "  ", "--reason TEXT"),
        ("scenario-a/none", "why", "found scenario-a"),
    ):
        with pytest.raises(UsageError, match=words):
            trend_console.accept(tmp_path, Path(run), reason)
    assert read_history(tmp_path).acceptances == ()
    trend_console.accept(tmp_path, Path("scenario-a/wide"), " why ")
    trend_console.accept(tmp_path, tmp_path / "scenario-a" / "wide", "again")
    found = [(one.run, one.reason) for one in read_history(tmp_path).acceptances]
    assert found == [("scenario-a/wide", "why"), ("scenario-a/wide", "again")]


def test_baselines_are_listed_or_their_making_is_explained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The list has a line for each run. The JSON output has all baselines."""
    trend_console.list_baselines(tmp_path, as_json=False)
    assert "harness baseline set" in capsys.readouterr().out
    two_plans(tmp_path)
    trend_console.set_baseline(tmp_path, "release", [Path("scenario-a/wide")])
    trend_console.list_baselines(tmp_path, as_json=False)
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("release  scenario-a/wide  scenario-a")
    assert line.endswith("PASS  2026-01-02T03:00:00")
    trend_console.list_baselines(tmp_path, as_json=True)
    assert list(json.loads(capsys.readouterr().out)) == ["release"]


def test_only_a_folder_of_results_can_be_read_again(tmp_path: Path) -> None:
    """A wrong path would empty the history."""
    with pytest.raises(UsageError, match="found none"):
        trend_console.rebuild_history(tmp_path / "nowhere")
