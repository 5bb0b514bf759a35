"""The process's side of an engine: the job and commands come in on stdin, reports go out on stdout, a line each.

End of file on stdin means that the engine has ended, for any reason. The process then exits at once, so that no process
outlives its run.
"""

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from harness.load.engine.job import Command, Job, Report

_decode = msgspec.json.Decoder(Command).decode


class Control:
    """Reads commands and calls ``on_command`` for each. ``early`` is what was read behind the job already.

    ``on_failure`` gets every error of a callback or task that would otherwise be lost in the loop.
    """

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
        """Without this the loop would log the error and go on."""
        loop.default_exception_handler(context)
        self._on_failure(context.get("exception") or RuntimeError(context["message"]))

    def _read(self) -> None:
        try:
            data = os.read(0, 65_536)
        except BlockingIOError:
            return
        if not data:
            # Row files are repaired from their length, so they need not be closed here.
            os._exit(0)
        self._handle(data)

    def _handle(self, data: bytes) -> None:
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            self._on_command(_decode(line))


def read_job() -> tuple[Job, Path, bytes]:
    """The job (the first line on stdin), the work folder (the argument), and what was read behind the job."""
    data = b""
    while b"\n" not in data:
        more = os.read(0, 65_536)
        if not more or len(sys.argv) != 2:
            sys.exit(
                "expected a work folder as the argument and a job on standard input; "
                "an engine of the load generator starts this program"
            )
        data += more
    line, _, rest = data.partition(b"\n")
    return msgspec.json.decode(line, type=Job), Path(sys.argv[1]), rest


def send_report(report: Report) -> None:
    """Write one report and number it. The process notices on stdin when the engine is gone."""
    report.reports += 1
    try:
        sys.stdout.buffer.write(msgspec.json.encode(report) + b"\n")
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        os._exit(0)
