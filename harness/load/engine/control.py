"""How a process of the load generator talks with the fleet: commands in on stdin, reports out on stdout, a line each.

End of file on stdin means that the fleet is gone, however it went: the process leaves at once, so that nothing of a run
outlives it.
"""

import asyncio
import os
import sys
from collections.abc import Callable
from typing import Any

import msgspec

from harness.load.engine.job import Command, Job, Report

_decode = msgspec.json.Decoder(Command).decode


class Control:
    """``early`` is what was read behind the job already. ``on_failure`` is told of every error that would otherwise be
    lost in the loop."""

    def __init__(
        self, early: bytes, on_command: Callable[[Command], None], on_failure: Callable[[BaseException], None]
    ) -> None:
        self._on_command = on_command
        self._on_failure = on_failure
        self._buffer = early

    def listen(self) -> None:
        """Begin to read commands, in the running loop."""
        os.set_blocking(0, False)
        loop = asyncio.get_running_loop()
        loop.add_reader(0, self._read)
        loop.set_exception_handler(self._on_error)
        self._handle(b"")

    def _on_error(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """An error in a callback or a task that nobody waits for: without this it would be logged and forgotten."""
        loop.default_exception_handler(context)
        self._on_failure(context.get("exception") or RuntimeError(context["message"]))

    def _read(self) -> None:
        try:
            data = os.read(0, 65_536)
        except BlockingIOError:
            return
        if not data:
            # Row files are mended from their length; there is nobody left for whom to close them.
            os._exit(0)
        self._handle(data)

    def _handle(self, data: bytes) -> None:
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            self._on_command(_decode(line))


def read_job() -> tuple[Job, bytes]:
    """The job, the first line on stdin, and what was read behind it."""
    data = b""
    while b"\n" not in data:
        more = os.read(0, 65_536)
        if not more:
            sys.exit("expected a job on standard input; this program is started by the fleet")
        data += more
    line, _, rest = data.partition(b"\n")
    return msgspec.json.decode(line, type=Job), rest


def send(report: Report) -> None:
    """Tell the fleet. A fleet that is gone is noticed on stdin."""
    try:
        sys.stdout.buffer.write(msgspec.json.encode(report) + b"\n")
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        os._exit(0)
