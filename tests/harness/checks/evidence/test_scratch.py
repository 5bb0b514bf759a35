"""Space for large recordings: the numbers are the same in memory and in a file, and a full disk is reported."""

import tempfile
from pathlib import Path

import numpy as np
import pytest

from harness.checks.evidence import scratch
from harness.checks.evidence.scratch import Column, zeros
from harness.model.errors import EnvironmentFailure


@pytest.mark.parametrize("in_memory_bytes", [1, 32_000_000])
def test_a_column_gives_what_was_appended(monkeypatch: pytest.MonkeyPatch, in_memory_bytes: int) -> None:
    """The values come in order, in pieces of PIECE_ROWS, the last piece shorter. They can be read more than once."""
    monkeypatch.setattr(scratch, "IN_MEMORY_BYTES", in_memory_bytes)
    monkeypatch.setattr(scratch, "PIECE_ROWS", 2)
    column = Column(np.uint32)
    assert column.highest == -1
    column.append(np.array([5, 1, 4]))
    column.append(np.array([], np.int64))
    column.append(np.array([2, 3]))
    for _ in range(2):
        pieces = list(column.pieces())
        assert [piece.tolist() for piece in pieces] == [[5, 1], [4, 2], [3]]
        assert {piece.dtype for piece in pieces} == {np.dtype(np.int64)}
    assert column.highest == 5


def test_two_readers_do_not_disturb_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both readers share one file."""
    monkeypatch.setattr(scratch, "PIECE_ROWS", 1)
    column = Column(np.int64)
    column.append(np.array([7, 8]))
    pairs = [(int(one[0]), int(other[0])) for one, other in zip(column.pieces(), column.pieces(), strict=True)]
    assert pairs == [(7, 7), (8, 8)]


def test_an_empty_column_has_no_pieces() -> None:
    assert list(Column(np.int64).pieces()) == []


def test_every_other_value_of_a_wider_array_is_kept() -> None:
    """The values of a column of rows are not adjacent in memory."""
    column = Column(np.int64)
    column.append(np.arange(6)[::2])
    assert [piece.tolist() for piece in column.pieces()] == [[0, 2, 4]]


@pytest.mark.parametrize(("limit_bytes", "mapped"), [(25, False), (24, True), (7, True)])
def test_zeros_are_mapped_to_a_file_from_the_limit_on(
    monkeypatch: pytest.MonkeyPatch, limit_bytes: int, mapped: bool
) -> None:
    """Six numbers of four bytes can be written in memory and in a file."""
    monkeypatch.setattr(scratch, "IN_MEMORY_BYTES", limit_bytes)
    found = zeros((2, 3), np.uint32)
    assert isinstance(found, np.memmap) is mapped
    assert found.tolist() == [[0, 0, 0], [0, 0, 0]]
    found[1, 2] = 9
    assert int(found.sum()) == 9


def test_a_folder_without_room_is_told_with_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The disk is full, or the temporary folder is missing."""
    monkeypatch.setattr(scratch, "IN_MEMORY_BYTES", 1)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(EnvironmentFailure, match="TMPDIR"):
        zeros((2, 3), np.uint32)
    with pytest.raises(EnvironmentFailure, match="TMPDIR"):
        Column(np.int64).append(np.array([1, 2]))
