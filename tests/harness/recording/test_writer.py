import json
import os
from pathlib import Path

import pytest

from harness.model.errors import EnvironmentFailure
from harness.recording.format import VERSION
from harness.recording.reader import read_events
from harness.recording.writer import Journal, create_folder, verdict_document, write_json
from tests.harness.plans import a_plan
from tests.harness.report import verdicts


def test_two_runs_in_one_second_have_two_folders(tmp_path: Path) -> None:
    """``latest`` points to the newer folder."""
    first, second = create_folder(tmp_path, a_plan()), create_folder(tmp_path, a_plan())
    assert first != second
    assert (tmp_path / "scenario-a" / "latest").resolve() == second
    assert {path.name for path in second.iterdir()} == {"plan.json", "arrays", "logs"}


def test_a_reader_never_sees_half_a_file(tmp_path: Path) -> None:
    """If a value cannot be encoded, the old file stays whole and no temporary file is left."""
    path = tmp_path / "plan.json"
    write_json(path, {"a": 1})
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(path, {"a": float("nan")})
    assert json.loads(path.read_text()) == {"a": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_a_place_that_cannot_hold_results_is_named(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("a file")
    with pytest.raises(EnvironmentFailure, match="results cannot be written below"):
        create_folder(tmp_path / "results", a_plan())


def test_every_event_is_on_the_disk_at_once(tmp_path: Path) -> None:
    """If the harness is killed, every event that it journalled is in the file."""
    with Journal(tmp_path) as journal:
        journal.event("phase", name="measure")
        (line,) = (tmp_path / "events.jsonl").read_text().splitlines()
    event = json.loads(line)
    assert event["event"] == "phase"
    assert event["name"] == "measure"
    assert event["at_ns"] > 0


def test_a_verdict_document_has_the_version_and_no_curves() -> None:
    """series.json holds the curves."""
    document = verdict_document(verdicts.passed())
    assert document["version"] == VERSION
    assert "series" not in document


def test_temporary_names_carry_the_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes may judge one recording. Each writes to its own temporary file."""
    seen: list[str] = []
    monkeypatch.setattr(Path, "replace", lambda self, _target: seen.append(self.name))
    write_json(tmp_path / "verdict.json", {})
    assert seen == [f".verdict.json-{os.getpid()}"]


@pytest.mark.parametrize("text", ["\udcff", "a\u2028b", "größe"])
def test_any_path_can_be_written_and_read(tmp_path: Path, text: str) -> None:
    """The name of a folder need not be valid text."""
    with Journal(tmp_path) as journal:
        journal.event("ended", why=text)
    write_json(tmp_path / "x.json", {"why": text})
    assert [event["why"] for event in read_events(tmp_path)] == [text]
    assert json.loads((tmp_path / "x.json").read_text("utf-8")) == {"why": text}
