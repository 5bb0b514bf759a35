from pathlib import Path

import numpy as np
import pytest

from harness.model.errors import UsageError
from harness.recording.arrays import RowFile, repair
from harness.recording.format import DELIVERY, POST
from harness.recording.reader import Recording
from harness.recording.writer import Journal, create_folder
from tests.harness.plans import a_plan


def test_a_row_file_is_an_ordinary_npy_file(tmp_path: Path) -> None:
    """NumPy loads all the rows, which were appended in pieces."""
    with RowFile(tmp_path / "rows.npy", DELIVERY) as file:
        file.append(np.array([(1, 2, 3)], DELIVERY))
        file.append(np.array([(4, 5, 6), (7, 8, 9)], DELIVERY).tobytes())
    assert np.load(tmp_path / "rows.npy").tolist() == [(1, 2, 3), (4, 5, 6), (7, 8, 9)]


def test_a_file_whose_writer_was_killed_is_mended(tmp_path: Path) -> None:
    """Whole rows are kept. Half a row at the end is cut."""
    file = RowFile(tmp_path / "rows.npy", DELIVERY)
    file.append(np.zeros(3, DELIVERY))
    with (tmp_path / "rows.npy").open("ab") as torn:
        torn.write(b"half")
    file._file.close()  # like the kernel for a killed process; the header still says 0 rows
    assert repair(tmp_path / "rows.npy", DELIVERY) == 3
    assert len(np.load(tmp_path / "rows.npy")) == 3


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = create_folder(tmp_path / "results", a_plan())
    with Journal(made) as journal:
        journal.event("ended", how="complete", why="")
    np.save(made / "arrays" / "posts.npy", np.zeros(2, POST))
    return made


def test_a_recording_is_read_as_it_was_written(folder: Path) -> None:
    """The reader returns plan, events and arrays. Absent parts are empty."""
    recording = Recording.open(folder)
    assert recording.plan == a_plan()
    assert recording.event("ended")["how"] == "complete"  # type: ignore[index]  # it was written
    assert len(recording.posts) == 2
    assert recording.stored is None
    assert recording.seen == {}
    assert (folder.parent / "latest").resolve() == folder


def test_half_a_line_at_the_end_is_passed_over(folder: Path) -> None:
    """A killed harness may have written half an event."""
    with (folder / "events.jsonl").open("a") as file:
        file.write('{"event": "pha')
    assert len(Recording.open(folder).events) == 1


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda folder: (folder / "plan.json").unlink(), "expected a run's folder"),
        (lambda folder: (folder / "plan.json").write_text("{"), "cannot be read"),
        (lambda folder: (folder / "plan.json").write_text('{"version": 99}'), "expected version 4, found version 99"),
        (lambda folder: (folder / "plan.json").write_text('{"version": 4, "plan": {}}'), "does not hold"),
        (lambda folder: (folder / "arrays" / "posts.npy").write_bytes(b"junk"), "expected a NumPy file"),
        (lambda folder: np.save(folder / "arrays" / "posts.npy", np.zeros(2)), "expected rows of"),
        (lambda folder: _cut(folder / "arrays" / "posts.npy"), "cut short"),
    ],
)
def test_damage_is_told_with_what_was_expected(folder: Path, damage: object, words: str) -> None:
    """Each kind of damaged recording gets its own sentence."""
    damage(folder)  # type: ignore[operator]  # the table holds functions
    with pytest.raises(UsageError, match=words):
        Recording.open(folder)


def _cut(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[:-10])
