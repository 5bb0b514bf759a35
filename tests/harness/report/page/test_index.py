import json
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from harness.model.errors import EnvironmentFailure
from harness.recording.format import VERSION
from harness.report import write_index
from tests.harness.report import outage_verdicts, sweep_verdicts, verdicts
from tests.harness.report.html import Document

VERDICT = json.loads(msgspec.json.encode(replace(verdicts.passed(), series={}))) | {"version": VERSION}


def run(results: Path, name: str, verdict: object = None, *, scenario: str = "scenario-a", report: bool = True) -> Path:
    folder = results / scenario / name
    folder.mkdir(parents=True)
    (folder / "plan.json").write_text(json.dumps({"version": VERSION, "plan": VERDICT["plan"]}))
    if verdict is not None:
        (folder / "verdict.json").write_text(verdict if isinstance(verdict, str) else json.dumps(verdict))
    if report:
        (folder / "report.html").write_text("")
    return folder


def test_all_runs_of_all_scenarios_are_listed_newest_first(tmp_path: Path) -> None:
    """Each run has a line with its verdict, its size, its figures and a link to its report."""
    run(tmp_path, "20260101T000000Z", VERDICT)
    run(tmp_path, "20260102T000000Z", VERDICT | {"status": "fail"})
    run(tmp_path, "20260101T000000Z", VERDICT, scenario="scenario-b")
    html = write_index(tmp_path).read_text()
    document = Document(html)
    assert document.problems == []
    assert [a for a in document.addresses if a.endswith(".html")] == [
        "scenario-a/20260102T000000Z/report.html",
        "scenario-a/20260101T000000Z/report.html",
        "scenario-b/20260101T000000Z/report.html",
    ]
    for words in ("3 runs", "PASS", "FAIL", "61.8\u00a0ms", "19\u202f994", "1\u202f200\u202f000"):
        assert words in document.text


def test_a_run_without_a_verdict_is_listed_with_its_plan(tmp_path: Path) -> None:
    """A run that died stays in the index."""
    run(tmp_path, "20260101T000000Z", report=False)
    document = Document(write_index(tmp_path).read_text())
    assert "no verdict" in document.text
    assert "10\u202f000" in document.text
    assert not [a for a in document.addresses if a.endswith(".html")]


@pytest.mark.parametrize(
    "broken",
    ["", "{", "[]", "null", '"pass"', '{"status": 7}', '{"status": ["pass"], "plan": 3}', "[" * 100_000, "\x00\xff"],
)
def test_a_broken_verdict_breaks_its_own_line_only(tmp_path: Path, broken: str) -> None:
    """The other runs are listed as usual."""
    run(tmp_path, "20260101T000000Z", broken)
    run(tmp_path, "20260102T000000Z", VERDICT)
    document = Document(write_index(tmp_path).read_text())
    assert document.problems == []
    assert "2 runs" in document.text
    assert "PASS" in document.text


def test_names_and_values_are_text(tmp_path: Path) -> None:
    """Folder names and foreign verdicts cannot become markup, and their links stay inside the results."""
    name = "<img src=x onerror=alert(1)>"
    run(tmp_path, name, VERDICT | {"status": "<b>pass</b>"}, scenario="a&b")
    run(tmp_path, "javascript:alert(1)", VERDICT, scenario="http:")
    document = Document(write_index(tmp_path).read_text())
    assert document.problems == []
    assert not {"img", "b", "script"} & set(document.tags)
    links = [a for a in document.addresses if a.endswith(".html")]
    assert sorted(links) == [
        "a%26b/%3Cimg%20src%3Dx%20onerror%3Dalert%281%29%3E/report.html",
        "http%3A/javascript%3Aalert%281%29/report.html",
    ]


def test_the_link_to_the_latest_run_is_no_run(tmp_path: Path) -> None:
    """A run is listed once."""
    folder = run(tmp_path, "20260101T000000Z", VERDICT)
    (tmp_path / "scenario-a" / "latest").symlink_to(folder.name)
    (tmp_path / "scenario-a" / "notes").mkdir()
    assert "1 run." in Document(write_index(tmp_path).read_text()).text


def test_without_runs_the_index_says_so(tmp_path: Path) -> None:
    """An empty folder gets a page too. Writing the page again replaces it."""
    write_index(tmp_path)
    assert "There are no runs here yet." in write_index(tmp_path).read_text()
    assert [path.name for path in tmp_path.iterdir()] == ["index.html"]


def test_a_folder_that_is_not_there_is_an_error_to_act_on(tmp_path: Path) -> None:
    """The message names the folder."""
    with pytest.raises(EnvironmentFailure, match="nowhere"):
        write_index(tmp_path / "nowhere")


def test_where_live_deliveries_are_limited_their_latency_is_listed(tmp_path: Path) -> None:
    """The index lists the live P99. Deliveries that an outage delayed do not count as the latency of the system."""
    outage = replace(outage_verdicts.outage(), series={})
    run(tmp_path, "20260101T000000Z", json.loads(msgspec.json.encode(outage)) | {"version": VERSION})
    text = Document(write_index(tmp_path).read_text()).text
    assert "14.2\u00a0ms" in text
    assert "490\u00a0ms" not in text


def test_a_verdict_of_another_version_is_named(tmp_path: Path) -> None:
    """The line names the version of the file and the version that the harness reads."""
    run(tmp_path, "20260101T000000Z", {"version": 1, "status": "pass", "measurements": {}})
    text = Document(write_index(tmp_path).read_text()).text
    assert f"verdict.json is of version 1; this harness reads version {VERSION}" in text
    assert "PASS" not in text


def test_a_sweep_lists_all_its_counts(tmp_path: Path) -> None:
    """The line of a sweep has its server counts, the sum of its deliveries and its highest P99."""
    sweep = json.loads(msgspec.json.encode(sweep_verdicts.passed())) | {"version": VERSION}
    run(tmp_path, "20260101T000000Z", sweep, scenario="scenario-c")
    text = Document(write_index(tmp_path).read_text()).text
    assert "2, 4, 8" in text
    assert "20\u00a0ms" in text
