"""Output files: refused before the start if they cannot be written, and written at the end."""

import os
from pathlib import Path

import pytest

from harness.model.errors import EnvironmentFailure, UsageError
from harness.model.output_format import OUTPUTS, OutputFormat
from harness.model.summary import Summary
from harness.outputs.destinations import Destinations
from tests.harness.outputs import summaries


def test_every_format_is_written(tmp_path: Path) -> None:
    """Each option writes one file and creates missing folders. No other file is left in the folder."""
    files = {each.name: tmp_path / "ci" / each.name for each in OUTPUTS}
    destinations = Destinations(files=files)
    destinations.refuse_unwritable()
    destinations.write(summaries.passed())
    assert sorted(path.name for path in (tmp_path / "ci").iterdir()) == sorted(OUTPUTS.names)
    assert all(path.stat().st_size for path in files.values())


def test_files_that_cannot_be_written_are_refused_all_at_once(tmp_path: Path) -> None:
    """A folder and a file below a file give one objection each."""
    (tmp_path / "file").write_text("")
    files = {"junit": tmp_path, "markdown": tmp_path / "file" / "x.md"}
    with pytest.raises(UsageError) as refused:
        Destinations(files=files).refuse_unwritable()
    assert len(refused.value.objections) == 2
    assert "--junit" in refused.value.objections[0]


def test_github_needs_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Outside a GitHub step there is no summary to append to. The message says what to do instead."""
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    with pytest.raises(UsageError, match="--markdown"):
        Destinations(github=True).refuse_unwritable()


def test_github_gets_summary_annotations_and_outputs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two commands of one step append to the same files. Standard output stays free for --json."""
    for variable in ("GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"):
        monkeypatch.setenv(variable, str(tmp_path / variable))
    destinations = Destinations(github=True)
    destinations.refuse_unwritable()
    destinations.write(summaries.failed())
    destinations.write(summaries.passed())
    assert (tmp_path / "GITHUB_STEP_SUMMARY").read_text().count("## ") == 2
    assert "verdict=fail" in (tmp_path / "GITHUB_OUTPUT").read_text()
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "::error " in shown.err


def test_a_disk_that_fails_at_the_end_is_told(tmp_path: Path) -> None:
    """A file that was writable before the run may not be writable after it. This is an environment failure, and the
    other files are still written."""
    files = {"junit": tmp_path / "gone" / "j.xml", "bencher": tmp_path / "b.json"}
    with pytest.raises(EnvironmentFailure, match="--junit"):
        Destinations(files=files).write(summaries.passed())
    assert files["bencher"].exists()


def test_a_device_is_written_and_not_replaced(tmp_path: Path) -> None:
    """A device such as /dev/null, or a pipe, stays in place."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        Destinations(files={"markdown": pipe}).write(summaries.empty())
        assert pipe.is_fifo()
        assert os.read(reader, 10).startswith(b"##")
    finally:
        os.close(reader)


def count_cases(summary: Summary) -> str:
    return f"{len(summary.cases)}\n"


def test_a_made_up_format_is_written_like_the_others(tmp_path: Path) -> None:
    """A new format needs only a registry entry and a pure function."""
    made_up = OutputFormat(name="count", title="Count", renderer=f"{__name__}:count_cases")
    with OUTPUTS.added(made_up):
        Destinations(files={"count": tmp_path / "n"}).write(summaries.passed())
    assert (tmp_path / "n").read_text() == f"{len(summaries.passed().cases)}\n"
