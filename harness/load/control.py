"""How a process of the load generator talks with the fleet: commands in on stdin, reports out on stdout, a line each.

End of file on stdin means that the fleet is gone, however it went: the process leaves at once, so that nothing of a run
outlives it.
"""

import asyncio
import os
import sys
from collections.abc import Callable

import msgspec

from harness.load.job import Command, Report

_decode = msgspec.json.Decoder(Command).decode


class Control:
    def __init__(self, on_command: Callable[[Command], None]) -> None:
        self._on_command = on_command
        self._buffer = b""

    def listen(self) -> None:
        """Begin to read commands, in the running loop."""
        os.set_blocking(0, False)
        asyncio.get_running_loop().add_reader(0, self._read)

    def _read(self) -> None:
        try:
            data = os.read(0, 65_536)
        except BlockingIOError:
            return
        if not data:
            # Row files are mended from their length; there is nobody left for whom to close them.
            os._exit(0)
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            self._on_command(_decode(line))


def send(report: Report) -> None:
    """Tell the fleet. A fleet that is gone is noticed on stdin."""
    try:
        sys.stdout.buffer.write(msgspec.json.encode(report) + b"\n")
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        os._exit(0)
