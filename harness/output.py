"""Standard output and standard error whose writes never fail.

The exit code of a command is its verdict, whether or not its output is read. So if a write fails (a closed pipe, a full
disk, a closed descriptor), its text is dropped, and the command continues. A character that the terminal's encoding
lacks is written as an escape.
"""

import errno
import io
import os
import select
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_ASCII = "".join(map(chr, range(128)))
STALLED_AFTER_S = 1.0
"""How long progress waits for a reader that has stopped reading. After that it is dropped as long as the reader is
stopped, because a stopped terminal must not stop a run."""


def protect_output() -> None:
    """Replace ``sys.stdout`` and ``sys.stderr``. Called once, before anything is printed or any file is opened."""
    _occupy_closed_descriptors()
    sys.stdout = _text(sys.stdout, 1, waits=True)
    sys.stderr = _text(sys.stderr, 2, waits=False)


def _occupy_closed_descriptors() -> None:
    """A file that is opened next must not get the number of a standard stream, or output would be written into it."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError as error:
            if error.errno == errno.EBADF:
                os.open(os.devnull, os.O_RDWR)  # the lowest free number, which is this one


def _text(stream: TextIO | None, descriptor: int, *, waits: bool) -> io.TextIOWrapper:
    encoding = _readable(getattr(stream, "encoding", None) or "utf-8")
    raw = _Unbreakable(descriptor, waits=waits)
    terminal = raw.isatty()
    # Standard error is written line by line, like a terminal: the lines of two processes then do not mix.
    return io.TextIOWrapper(
        io.BufferedWriter(raw), encoding=encoding, errors="backslashreplace", line_buffering=terminal or not waits
    )


def _readable(encoding: str) -> str:
    """``encoding``, if it contains ASCII. A terminal does not use UTF-16 or EBCDIC, and JSON for a program is ASCII."""
    try:
        same = _ASCII.encode(encoding) == _ASCII.encode("ascii")
    except (LookupError, ValueError):
        same = False
    return encoding if same else "ascii"


class _Unbreakable(io.FileIO):
    """A descriptor whose writes never fail. ``waits``: a reader that is slow is waited for without limit."""

    def __init__(self, descriptor: int, *, waits: bool) -> None:
        super().__init__(descriptor, "w", closefd=False)
        self._waits = waits
        self._stalled = False
        self._dead = False

    def write(self, data: "ReadableBuffer", /) -> int:
        size = memoryview(data).nbytes
        if self._dead or not self._writable():
            return size
        try:
            written = super().write(data)
        except OSError:
            self._dead = True
            return size
        # None: the descriptor does not block and its pipe filled up in between. The buffer writes the rest again.
        return 0 if written is None else written

    def _writable(self) -> bool:
        """Whether a write will not block. Waits for that, as long as this stream may wait."""
        limit_s = None if self._waits else 0.0 if self._stalled else STALLED_AFTER_S
        waiting = select.poll()  # select() takes no descriptor above 1,023
        waiting.register(self.fileno(), select.POLLOUT)
        self._stalled = not waiting.poll(None if limit_s is None else limit_s * 1e3)
        return not self._stalled
