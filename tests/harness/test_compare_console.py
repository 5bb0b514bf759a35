"""`harness compare` and `baseline` from the command line to the files and the exit code."""

import json
from pathlib import Path

from tests.harness.report import verdicts
from tests.harness.results_on_disk import a_run, slower
from tests.harness.test_commands import command


def seven(results: Path) -> list[str]:
    """A history of seven runs without a planted difference."""
    spread = (0.0, 0.4, -0.3, 0.2, -0.5, 0.1, 0.3)
    return [str(a_run(results, f"n{i}", slower(verdicts.passed(), percent))) for i, percent in enumerate(spread)]


def test_the_same_passes_and_slower_fails(tmp_path: Path) -> None:
    """The exit codes are 0 and 1. The output names the measure, and the page and the JSON file are written."""
    honest = seven(tmp_path)
    only = ("--only", "servers_cpu_us_per_delivery", "--out", str(tmp_path))
    same = command("compare", honest[0], honest[1], *only)
    assert same.exit_code == 0, same.output
    slow = a_run(tmp_path, "slow", slower(verdicts.passed(), 30))
    worse = command("compare", honest[0], str(slow), *only, "--junit", str(tmp_path / "j.xml"))
    assert worse.exit_code == 1, worse.output
    assert "WORSE" in worse.output
    assert 'failures="1"' in (tmp_path / "j.xml").read_text()
    folder = max((tmp_path / "compare").glob("2*"))
    assert (folder / "report.html").exists()
    assert json.loads((folder / "comparison.json").read_text())["status"] == "fail"


def test_a_lost_message_fails_whatever_the_figures(tmp_path: Path) -> None:
    """Safety is decided before any figure."""
    base, lost = a_run(tmp_path, "a"), a_run(tmp_path, "b", verdicts.failed())
    shown = command("compare", str(base), str(lost), "--out", str(tmp_path))
    assert shown.exit_code == 1
    assert "SAFETY" in shown.output


def test_another_plan_is_exit_3_with_each_difference(tmp_path: Path) -> None:
    """--across shows the measures, but the exit code stays 3."""
    from dataclasses import replace

    other = verdicts.passed()
    other = replace(other, plan=replace(other.plan, servers=8))
    base, run = a_run(tmp_path, "a"), a_run(tmp_path, "b", other)
    shown = command("compare", str(base), str(run), "--out", str(tmp_path))
    assert shown.exit_code == 3
    assert "servers: BASE 4, RUN 8" in shown.output
    across = command("compare", str(base), str(run), "--out", str(tmp_path), "--across")
    assert across.exit_code == 3
    assert "P99 delivery latency" in across.output


def test_a_baseline_outlives_its_recording(tmp_path: Path) -> None:
    """A baseline is set, compared with after its folder is gone, listed, and removed."""
    import shutil

    out = ("--out", str(tmp_path))
    honest = seven(tmp_path)
    assert command("baseline", "set", "release", honest[0], *out).exit_code == 0
    shutil.rmtree(honest[0])
    only = ("--only", "servers_cpu_us_per_delivery")
    assert command("compare", "baseline:release", honest[1], *out, *only).exit_code == 0
    assert "release" in command("baseline", "list", *out).output
    assert command("baseline", "remove", "release", *out).exit_code == 0
    gone = command("compare", "baseline:release", honest[1], *out)
    assert gone.exit_code == 2
    assert "baseline set" in gone.output


def test_patterns_make_groups(tmp_path: Path) -> None:
    """A quoted pattern stands for every run that matches. A link such as `latest` does not count a run twice."""
    seven(tmp_path)
    (tmp_path / "scenario-a" / "n-latest").symlink_to("n0")
    pattern = str(tmp_path / "scenario-a" / "n[0-2]*")
    shown = command("compare", pattern, str(tmp_path / "scenario-a" / "n[3-5]"), "--out", str(tmp_path), "--json")
    assert [len(json.loads(shown.stdout)[side]) for side in ("base", "run")] == [3, 3]


def test_usage_errors_name_what_was_expected(tmp_path: Path) -> None:
    """The exit code is 2, and nothing is written."""
    run = str(a_run(tmp_path, "a"))
    out = ("--out", str(tmp_path))
    for arguments, words in (
        ((run,), "expected BASE and RUN"),
        ((run, run), "both sides"),
        ((run, "nowhere"), "found 'nowhere'"),
        ((run, str(tmp_path / "x*")), "none that match"),
        ((run, run, "--only", "speed"), "unknown measure"),
        ((run, run, "--margin", "cpu=much"), "--margin"),
        ((run, run, "--junit", str(tmp_path)), "--junit"),
    ):
        shown = command("compare", *arguments, *out)
        assert shown.exit_code == 2, arguments
        assert words in shown.output
    assert not (tmp_path / "compare").exists()
