"""The publisher: one process that posts the schedule, open loop, and keeps the ledger.

An engine of `harness.load.engine` starts it as ``python -m harness.load.publisher FOLDER``.

Open loop: a message is posted at its scheduled time, whatever the outcome of earlier posts is. If something delays a
post (a busy core, no free connection), the publisher records the lateness; it never hides it by posting less.
"""

import asyncio
import contextlib
import gc
import os
import sys
import time
from collections import deque
from pathlib import Path

import numpy as np
import uvloop

from harness.load.engine.control import Control, read_job, send_report
from harness.load.engine.job import Action, Command, Job, Report
from harness.load.heartbeat import Heartbeat
from harness.load.incidents import Incidents
from harness.load.ledger import Ledger
from harness.load.post_pool import ANSWER_TIMEOUT_S, PostPool
from harness.load.protocol.http_post import PostConnection
from harness.model.incident import IncidentKind
from harness.model.message import channel_name, message_text
from harness.model.registry import load_extensions
from harness.planning.arrivals import schedule
from harness.planning.placement import audiences
from harness.protocol import open_protocol
from harness.recording.format import ACKNOWLEDGED, INCIDENTS, INDETERMINATE, REJECTED

ANSWER_TIMEOUT_NS = int(ANSWER_TIMEOUT_S * 1e9)
TICK_S = 0.001
PROBE_RATE_HZ = 500.0
REPORT_S = 0.2
LATENESSES = 200
"""Posts whose lateness one report covers at most."""
PRIORITY = -10
"""The niceness that the publisher requests: it stands for a separate machine, and its lateness would count as latency
of the system under test."""


class Publisher:
    """Posts the messages that are due and writes every outcome. ``ended`` is set when all work is done."""

    def __init__(self, job: Job, folder: Path) -> None:
        plan = job.plan
        protocol = open_protocol(plan.protocol)
        self.ended = asyncio.Event()
        self._run_id, self._text_bytes, self._probes = plan.run_id, plan.text_bytes, plan.channels
        self._schedule = schedule(plan)
        self._ledger = Ledger(folder / "posts.npy", self._schedule)
        self._incidents = Incidents(folder / f"{INCIDENTS}-publisher.json")
        self._parse = protocol.parse_post
        self._report = Report()
        self._pool = PostPool(
            job.servers,
            write=self._write,
            on_answer=self._on_answer,
            on_lost=self._lost,
            on_broken=self._broken,
            on_expired=self._expired,
            on_trouble=self._trouble,
        )
        self._heartbeat = Heartbeat(
            folder / "heartbeat-publisher.npy", lambda: (self._report.sent, self._pool.connections)
        )
        # Plain lists: reading one number of a NumPy array costs several times as much.
        self._writers = [protocol.post_writer(server, job.token) for server in job.servers]
        self._channel_names = [channel_name(plan.run_id, index) for index in range(plan.channels)]
        self._audience = audiences(plan).tolist()
        self._server_of = self._schedule.server.tolist()
        self._channel_of = self._schedule.channel.tolist()
        self._due_ns: list[int] = []
        self._next = 0
        self._end = 0
        self._rejected_messages: list[int] = []
        self._names_rejected = False
        self._lateness_ms: deque[float] = deque(maxlen=LATENESSES)

    def start_heartbeat(self) -> None:
        self._heartbeat.start()

    def on_command(self, command: Command) -> None:
        probes = self._probes
        if command.do is Action.CONNECT:
            self._pool.open()
        elif command.do is Action.PROBE:
            self._begin(0, probes, np.arange(probes) * int(1e9 / PROBE_RATE_HZ) + time.monotonic_ns())
        elif command.do is Action.START:
            gc.collect()
            gc.freeze()
            self._begin(probes, len(self._schedule), self._schedule.offset_ns[probes:] + command.start_ns)
        elif command.do is Action.NAME_REJECTED:
            self._names_rejected = True
        elif command.do is Action.FINISH:
            self._finish()
        self._report.phase = command.do

    def work(self) -> None:
        """Regular work: stop waiting for overdue answers, write incidents, report. Raises OSError (a full disk)."""
        self._pool.drop_overdue()
        self._incidents.flush()
        self.report()

    def report(self) -> None:
        self._report.connected = self._pool.connections
        self._report.lag_ms = self._heartbeat.take_late_ms()
        self._report.late_ms = max(self._lateness_ms, default=0.0)
        self._lateness_ms.clear()
        if self._names_rejected:
            self._report.refused = tuple(self._rejected_messages)
        send_report(self._report)

    def fail(self, error: BaseException) -> None:
        """Say in the last report why this process cannot continue, and end."""
        self._report.fail(error)
        self.ended.set()

    def _begin(self, first: int, end: int, due_ns: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> None:
        """Post the messages from ``first`` up to ``end`` at these times."""
        self._ledger.intended_ns[first:end] = due_ns
        self._due_ns = [0] * first + due_ns.tolist()
        self._next, self._end = first, end
        self._post_due()

    def _post_due(self) -> None:
        """Post everything that is due, then come back in a millisecond or when the next is due."""
        now_ns = time.monotonic_ns()
        due_ns, server_of = self._due_ns, self._server_of
        while self._next < self._end and due_ns[self._next] <= now_ns:
            message = self._next
            self._next = message + 1
            self._pool.post(message, server_of[message], due_ns[message])
        if self._next < self._end:
            delay_s = max(TICK_S, (due_ns[self._next] - time.monotonic_ns()) / 1e9)
            asyncio.get_running_loop().call_later(delay_s, self._post_due)

    def _write(self, connection: PostConnection, message: int) -> None:
        server = connection.server
        if server != self._server_of[message]:
            self._ledger.server[message] = server
        request = self._writers[server](
            self._channel_names[self._channel_of[message]],
            message_text(self._run_id, message, self._text_bytes),
            f"{self._run_id}-{message}",
        )
        now_ns = time.monotonic_ns()
        self._ledger.sent_ns[message] = now_ns
        self._report.sent += 1
        connection.post(message, request, now_ns + ANSWER_TIMEOUT_NS)
        self._lateness_ms.append((now_ns - self._due_ns[message]) / 1e6)

    def _on_answer(self, connection: PostConnection, status: int, body: bytes) -> None:
        message = connection.message
        connection.message = -1
        ledger = self._ledger
        ledger.answered_ns[message] = time.monotonic_ns()
        ledger.http_status[message] = status
        answer = self._parse(status, body, self._channel_names[self._channel_of[message]])
        if answer.flaw:
            self._incidents.note(IncidentKind.ANSWER, answer.flaw, self._place(message, connection.server))
        if answer.outcome == ACKNOWLEDGED:
            ledger.outcome[message] = ACKNOWLEDGED
            ledger.seq[message] = answer.seq
            self._report.acknowledged += 1
            self._report.expected += self._audience[self._channel_of[message]]
        elif answer.outcome == REJECTED:
            self._rejected(message, f"{status} {answer.error}")
        else:
            self._indeterminate(message, f"{status} {answer.error}")
        self._pool.release(connection)

    def _lost(self, message: int, status: int, why: str) -> None:
        """The connection ended before the whole answer was there."""
        self._ledger.http_status[message] = status
        self._indeterminate(message, f"{status}, cut short: {why}" if status else why)

    def _broken(self, server: int, why: str) -> None:
        self._incidents.note(IncidentKind.ANSWER, why, f"server {server + 1}")

    def _indeterminate(self, message: int, why: str) -> None:
        self._ledger.outcome[message] = INDETERMINATE
        self._report.indeterminate += 1
        self._report.doubtful += self._audience[self._channel_of[message]]
        self._report.trouble = f"the outcome of message {message} is unknown: {why}"
        self._incidents.note(IncidentKind.INDETERMINATE, why, self._place(message, self._ledger.server[message]))

    def _rejected(self, message: int, why: str) -> None:
        self._ledger.outcome[message] = REJECTED
        self._report.rejected += 1
        self._rejected_messages.append(message)
        self._report.trouble = f"message {message} was rejected: {why}"
        self._incidents.note(IncidentKind.REJECTED, why, self._place(message, self._ledger.server[message]))

    def _expired(self, message: int) -> None:
        self._rejected(message, "never sent: no server took a connection in time")

    @staticmethod
    def _place(message: int, server: int) -> str:
        return f"message {message} on server {server + 1}"

    def _trouble(self, sentence: str) -> None:
        self._report.trouble = sentence

    def _finish(self) -> None:
        self._pool.close()
        self._heartbeat.close()
        self._incidents.flush()
        self._ledger.flush()
        self.ended.set()


async def run(job: Job, folder: Path, early: bytes) -> None:
    publisher = Publisher(job, folder)
    Control(early, publisher.on_command, publisher.fail).listen()
    publisher.start_heartbeat()
    gc.freeze()
    gc.set_threshold(100_000, 50, 1_000)
    while not publisher.ended.is_set():
        publisher.work()
        try:
            async with asyncio.timeout(REPORT_S):
                await publisher.ended.wait()
        except TimeoutError:
            pass
    publisher.report()


def main() -> None:
    # If it is not allowed, the publisher's lateness is still measured.
    with contextlib.suppress(OSError):
        os.nice(PRIORITY)
    load_extensions()
    try:
        uvloop.run(run(*read_job()))
    except OSError as error:
        report = Report()
        report.fail(error)
        send_report(report)
        sys.exit(1)


if __name__ == "__main__":
    main()
