"""A job for tests of engines. It reports every command, writes a row file, and ends in the way that a command asks
for."""

import asyncio
import sys

import numpy as np

from harness.load.engine.control import Control, read_job, send_report
from harness.load.engine.job import Action, Command, Report
from harness.recording.arrays import RowFile
from harness.recording.format import HEARTBEAT

job, folder, early = read_job()
report = Report(trouble=f"{job.name} {job.token}")
rows = RowFile(folder / f"heartbeat-{job.name}.npy", HEARTBEAT)


async def main() -> None:
    ended = asyncio.Event()

    def on_command(command: Command) -> None:
        if command.do is Action.CONNECT:
            rows.append(np.zeros(3, HEARTBEAT))
        if command.do is Action.PROBE:
            print("the job's last line", file=sys.stderr)
            sys.exit(3)
        if command.do is Action.RESUME_READING and not command.clients:
            print("not a report", flush=True)
            return
        if command.do is Action.START:
            raise ZeroDivisionError("planted")
        if command.do is Action.FINISH:
            rows.close()
            ended.set()
        report.phase = command.do
        report.connected = len(command.clients)
        send_report(report)

    def on_failure(error: BaseException) -> None:
        report.fail(error)
        send_report(report)

    Control(early, on_command, on_failure).listen()
    send_report(report)
    await ended.wait()


asyncio.run(main())
