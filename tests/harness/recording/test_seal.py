from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from harness.model.errors import UsageError
from harness.recording.format import DELIVERY, FRAME, POST, SESSION
from harness.recording.reader import Recording
from harness.recording.seal import end_recording, write_seal
from harness.recording.writer import Journal, create_folder
from tests.harness.plans import a_plan


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = create_folder(tmp_path, a_plan())
    for name, layout in (("posts", POST), ("deliveries-00", DELIVERY), ("frames-00", FRAME), ("sessions-00", SESSION)):
        np.save(made / "arrays" / f"{name}.npy", np.zeros(3, layout))
    (made / "telemetry.jsonl").write_text('{"at_ns": 1}\n')
    with Journal(made) as journal:
        journal.machine({"cores": 2})
        end_recording(made, journal, how="complete", why="")
    return made


def flip(path: Path) -> None:
    """Changes one bit of the last byte."""
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def test_a_whole_copy_is_read(folder: Path, tmp_path: Path) -> None:
    """A verdict and a report that were added later do no harm."""
    (folder / "verdict.json").write_text("{}")
    (folder / "report.html").write_text("")
    copy = folder.rename(tmp_path / "copy")
    assert len(Recording.open(copy).posts) == 3


@pytest.mark.parametrize(
    "name",
    [
        "machine.json",
        "events.jsonl",
        "telemetry.jsonl",
        "arrays/posts.npy",
        "arrays/deliveries-00.npy",
        "arrays/frames-00.npy",
        "arrays/sessions-00.npy",
    ],
)
@pytest.mark.parametrize("damage", [Path.unlink, flip, cut])
def test_a_missing_or_changed_file_is_refused_by_name(folder: Path, name: str, damage: Callable[[Path], None]) -> None:
    """The copy lost or changed a file. The service must not be blamed for it."""
    damage(folder / name)
    with pytest.raises(UsageError, match="copy it again") as refused:
        Recording.open(folder)
    assert name in str(refused.value)


def test_a_missing_seal_is_refused(folder: Path) -> None:
    """The events say that the run was sealed."""
    (folder / "seal.json").unlink()
    with pytest.raises(UsageError, match=r"seal\.json is missing: copy it again"):
        Recording.open(folder)


def test_a_seal_that_cannot_be_read_is_refused(folder: Path) -> None:
    (folder / "seal.json").write_text("{")
    with pytest.raises(UsageError, match=r"seal\.json cannot be read"):
        Recording.open(folder)


def test_rows_of_another_recording_are_refused(folder: Path) -> None:
    """The file was not there when the run was sealed."""
    np.save(folder / "arrays" / "deliveries-01.npy", np.zeros(1, DELIVERY))
    with pytest.raises(UsageError, match=r"deliveries-01\.npy is not of this recording"):
        Recording.open(folder)


def test_many_damaged_files_are_counted(folder: Path) -> None:
    """The message has five names and the number of the others."""
    for path in [*(folder / "arrays").iterdir(), folder / "machine.json", folder / "telemetry.jsonl"]:
        path.unlink()
    with pytest.raises(UsageError, match="and 1 more: copy"):
        Recording.open(folder)


def test_a_run_that_was_cut_short_needs_no_seal(tmp_path: Path) -> None:
    """The run has no last event either. The judge says UNKNOWN."""
    made = create_folder(tmp_path, a_plan())
    with Journal(made) as journal:
        journal.event("phase", name="measure")
    assert Recording.open(made).event("ended") is None


def test_a_seal_that_could_not_be_written_is_not_missed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk became full at the last moment. An event in the recording says so."""

    def full(_folder: Path) -> None:
        raise OSError(28, "No space left on device")

    (folder / "seal.json").unlink()
    monkeypatch.setattr("harness.recording.seal.write_seal", full)
    with Journal(folder) as journal:
        end_recording(folder, journal, how="complete", why="")
    recording = Recording.open(folder)
    assert recording.event("unsealed")["why"] == "No space left on device"  # type: ignore[index]  # it was written


def test_a_seal_covers_what_the_judge_reads(folder: Path) -> None:
    write_seal(folder)
    text = (folder / "seal.json").read_text()
    for name in ("plan.json", "events.jsonl", "arrays/posts.npy", "telemetry.jsonl"):
        assert f'"path": "{name}"' in text
