"""A load worker: one process that holds its share of the clients and writes what they receive.

An engine of `harness.load.engine` starts it as ``python -m harness.load.worker FOLDER``.
"""

import asyncio
import gc
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import uvloop

from harness.load.client import Client
from harness.load.connector import Connector
from harness.load.engine.control import Control, read_job, send_report
from harness.load.engine.job import Action, Command, Job, Report
from harness.load.frames import FrameTable
from harness.load.heartbeat import Heartbeat
from harness.load.protocol.dialogue import Dialogue
from harness.load.reached_pairs import ReachedPairs
from harness.load.worker_rows import WorkerRows
from harness.model.message import channel_name
from harness.model.registry import load_extensions
from harness.planning.arrivals import schedule
from harness.planning.placement import client_channels, client_servers, client_workers
from harness.protocol import open_protocol

FLUSH_S = 0.5
REPORT_S = 0.2
CLOSE_FRAMES_S = 0.05
"""How long the process stays after the end, so that the last close frames are sent."""


class Worker:
    """The state of one worker process. ``ended`` is set when all work is done."""

    def __init__(self, job: Job, folder: Path) -> None:
        plan, index = job.plan, job.index
        protocol = open_protocol(plan.protocol)
        timetable = schedule(plan)
        frames = FrameTable(plan, len(timetable), protocol.classify)
        self.ended = asyncio.Event()
        self._report = Report()
        self._rows = WorkerRows(
            folder,
            index,
            frames=frames,
            schedule=timetable,
            reached=ReachedPairs(plan, index, timetable),
            report=self._report,
        )
        self._heartbeat = Heartbeat(folder / f"heartbeat-worker-{index:02}.npy", self._counts)
        self._connector = Connector(
            protocol,
            job.servers,
            job.token,
            report=self._report,
            incidents=self._rows.incidents,
            on_session_end=self._rows.end_session,
            on_failure=self.fail,
        )
        channels, servers = client_channels(plan), client_servers(plan)
        self._clients = {
            client: Client(
                client,
                int(servers[client]),
                Dialogue(channel_name(plan.run_id, int(channels[client])), protocol),
                self._rows.sink,
                self._connector.on_change,
            )
            for client in np.flatnonzero(client_workers(plan) == index).tolist()
        }
        self._flushed_s = time.monotonic()

    def start_heartbeat(self) -> None:
        self._heartbeat.start()

    def on_command(self, command: Command) -> None:
        if command.do is Action.CONNECT:
            for client in self._clients.values():
                self._connector.connect(client)
        elif command.do is Action.START:
            self._rows.start(command.start_ns)
            gc.freeze()
        elif command.do is Action.PAUSE_READING:
            for client in self._own(command.clients):
                client.pause_reading()
        elif command.do is Action.RESUME_READING:
            for client in self._own(command.clients):
                client.resume_reading()
        elif command.do is Action.PING:
            for client in self._clients.values():
                client.ping()
        elif command.do is Action.DISREGARD:
            self._rows.disregard(command.messages)
        elif command.do is Action.FINISH:
            self._finish()
        self._report.phase = command.do

    def work(self) -> None:
        """Regular work: write rows, drop silent connections, report. Raises OSError (a full disk)."""
        if time.monotonic() - self._flushed_s >= FLUSH_S:
            self._flushed_s = time.monotonic()
            self._rows.flush()
        self._connector.drop_unconfirmed()
        self.report()

    def report(self) -> None:
        self._report.delivered = self._rows.delivered
        self._report.pending = self._rows.pending
        self._report.lag_ms = self._heartbeat.take_late_ms()
        send_report(self._report)
        self._report.latencies_ms = ()  # each sample is reported once

    def fail(self, error: BaseException) -> None:
        """Report why this process cannot continue, and end."""
        self._report.fail(error)
        send_report(self._report)
        self.ended.set()

    def _counts(self) -> tuple[int, int]:
        return self._rows.delivered, self._report.connected

    def _own(self, clients: Iterable[int]) -> Iterable[Client]:
        """Those of ``clients`` that this worker holds."""
        return [self._clients[client] for client in clients if client in self._clients]

    def _finish(self) -> None:
        """Close every connection by the closing handshake, and every file."""
        self._connector.close()
        for client in self._clients.values():
            client.dialogue.close()
            if client.transport is not None:
                client.close()
                self._rows.end_session(client)
        self._heartbeat.close()
        self._rows.close()
        self.ended.set()


async def run(job: Job, folder: Path, early: bytes) -> None:
    worker = Worker(job, folder)
    Control(early, worker.on_command, worker.fail).listen()
    worker.start_heartbeat()
    gc.freeze()
    gc.set_threshold(100_000, 50, 1_000)
    while not worker.ended.is_set():
        try:
            worker.work()
        except OSError as error:
            worker.fail(error)
            return
        try:
            async with asyncio.timeout(REPORT_S):
                await worker.ended.wait()
        except TimeoutError:
            pass
    worker.report()
    await asyncio.sleep(CLOSE_FRAMES_S)


def main() -> None:
    load_extensions()
    uvloop.run(run(*read_job()))


if __name__ == "__main__":
    main()
