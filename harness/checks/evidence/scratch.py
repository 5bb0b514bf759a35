"""Space for data that grow with a recording: memory if they are few, unnamed temporary files if they are many."""

import math
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from harness.checks.statistics.distribution import PIECE_ROWS, Ints
from harness.model.errors import EnvironmentFailure

IN_MEMORY_BYTES = 32_000_000


class Column:
    """Numbers that are appended first and then read in pieces. Raises EnvironmentFailure if the disk is full."""

    def __init__(self, dtype: DTypeLike) -> None:
        self._dtype = np.dtype(dtype)
        self._file = tempfile.SpooledTemporaryFile(IN_MEMORY_BYTES)  # noqa: SIM115  # lives as long as this
        weakref.finalize(self, _close, self._file)
        self.highest = -1

    def append(self, values: NDArray[np.generic]) -> None:
        if len(values):
            self.highest = max(self.highest, int(values.max()))
            with _room():
                self._file.write(np.ascontiguousarray(values, self._dtype).data)
                self._file.flush()  # so that a full disk is reported here and not while reading

    def pieces(self) -> Iterator[Ints]:
        """All of it in order, PIECE_ROWS at a time."""
        at = 0
        while True:
            self._file.seek(at)  # others read it too
            data = self._file.read(PIECE_ROWS * self._dtype.itemsize)
            if not data:
                return
            at += len(data)
            yield np.frombuffer(data, self._dtype).astype(np.int64, copy=False)


def zeros(shape: tuple[int, int], dtype: type[np.generic]) -> NDArray[Any]:
    """An array of zeros; a large one is mapped to a file. Raises EnvironmentFailure if the disk is full."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    if size < IN_MEMORY_BYTES:
        return np.zeros(shape, dtype)
    with _room(), tempfile.TemporaryFile() as file:
        # It is written, not only extended: otherwise the first access to a page without disk space would end the
        # process.
        for start in range(0, size, IN_MEMORY_BYTES):
            file.write(bytes(min(IN_MEMORY_BYTES, size - start)))
        return np.memmap(file, dtype, "r+", shape=shape)


def _close(file: "tempfile.SpooledTemporaryFile[bytes]") -> None:
    with suppress(OSError):  # a full disk was reported before
        file.close()


@contextmanager
def _room() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise EnvironmentFailure(
            f"a large recording needs temporary files in {tempfile.gettempdir()}, and they cannot be written: "
            f"{error.strerror or error}; free disk space there, or set TMPDIR to another folder, and judge the run "
            "again"
        ) from error
