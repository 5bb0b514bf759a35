"""Row files that grow during a run and are valid ``.npy`` files at every moment. NumPy's header is written first and
rewritten in place when the file is closed; if the writer was killed, `repair` corrects the header by the length of the
file.
"""

import io
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer

_HEADER_BYTES = 512


def _header(dtype: np.dtype[np.void], rows: int) -> bytes:
    buffer = io.BytesIO()
    npy.write_array_header_1_0(buffer, {"descr": npy.dtype_to_descr(dtype), "fortran_order": False, "shape": (rows,)})
    text = buffer.getvalue()[npy.MAGIC_LEN + 2 :].rstrip()
    room = _HEADER_BYTES - npy.MAGIC_LEN - 2
    assert len(text) < room, "row layouts fit the fixed header"
    return npy.magic(1, 0) + room.to_bytes(2, "little") + text.ljust(room - 1) + b"\n"


class RowFile:
    """Appends rows of one layout to ``path``. Raises OSError (no space, no permission) as the system does."""

    def __init__(self, path: Path, dtype: np.dtype[np.void]) -> None:
        self.dtype = dtype
        self.rows = 0
        self._file = path.open("xb", buffering=0)
        self._write(_header(dtype, 0))

    def append(self, rows: "Buffer | NDArray[Any]") -> None:
        """Append whole rows, as an array of this layout or as its bytes."""
        data = memoryview(rows).cast("B")  # type: ignore[arg-type]  # an array is a buffer; its stubs say so from 3.12
        assert data.nbytes % self.dtype.itemsize == 0, "only whole rows are appended"
        self._write(data)
        self.rows += data.nbytes // self.dtype.itemsize

    def close(self) -> None:
        if not self._file.closed:
            try:
                self._file.seek(0)
                self._write(_header(self.dtype, self.rows))
            finally:
                self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _write(self, data: bytes | memoryview) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[self._file.write(rest) :]


def repair(path: Path, dtype: np.dtype[np.void]) -> int:
    """Repair a file that its writer did not close: cut an incomplete row at its end, and write the length into the
    header. Returns the rows."""
    size = path.stat().st_size
    rows = max(0, size - _HEADER_BYTES) // dtype.itemsize
    with path.open("r+b") as file:
        file.truncate(_HEADER_BYTES + rows * dtype.itemsize)
        file.write(_header(dtype, rows))
    return rows
