"""The sender: one process that posts the schedule, open loop, and keeps the ledger.

    python -m harness.load.publisher < job and commands

Open loop: a message is posted when the schedule says so, whatever became of those before it. What makes it late (a busy
core, no free connection) is recorded as lateness, never hidden by posting less.
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

from harness.load.engine.control import Control, read_job, send
from harness.load.engine.job import Command, Job, Report
from harness.load.heartbeat import Heartbeat
from harness.load.protocol.http_post import Answer, PostConnection
from harness.model.message import channel_name, message_text
from harness.planning.arrivals import schedule
from harness.planning.placement import audiences
from harness.recording.format import ACKNOWLEDGED, INDETERMINATE, POST, REJECTED

KEPT_CONNECTIONS = 64
MAX_CONNECTIONS = 512
"""Per server. More are opened, one by one, when all are waiting for answers."""
ANSWER_TIMEOUT_S = 10.0
TICK_S = 0.001
PROBE_RATE_HZ = 500.0
REPORT_S = 0.2
CONNECT_TIMEOUT_S = 2.0
RECONNECT_S = 0.2
PRIORITY = -10
"""Niceness asked for: the sender stands for a machine of its own, and its lateness would be charged to the system."""

CERTAINLY_NOT_STORED = frozenset({"database_unavailable", "overloaded"})


class Publisher:
    def __init__(self, job: Job) -> None:
        self.job = job
        self.schedule = schedule(job.plan)
        self.audience = audiences(job.plan)
        self.ledger = _ledger(Path(job.arrays) / "posts.npy", len(self.schedule))
        self.ledger["phase"] = self.schedule.phase
        self.ledger["server"] = self.schedule.server
        self.ledger["channel"] = self.schedule.channel
        # Columns as arrays of their own: writing a field of a row costs several times as much.
        self.outcome, self.status = self.ledger["outcome"], self.ledger["http_status"]
        self.seq, self.intended = self.ledger["seq"], self.ledger["intended_ns"]
        self.server = self.ledger["server"]
        self.sent, self.answered = self.ledger["sent_ns"], self.ledger["answered_ns"]
        servers = range(len(job.servers))
        self.idle: list[list[PostConnection]] = [[] for _ in servers]
        self.open = [0 for _ in servers]
        self.busy: set[PostConnection] = set()
        self.waiting: list[deque[int]] = [deque() for _ in servers]
        self.refusing: set[int] = set()
        """servers that took no connection at the last try"""
        self.heads = [self._head(index) for index in servers]
        self.channel_names = [channel_name(job.plan.run_id, index) for index in range(job.plan.channels)]
        self.server_of = self.schedule.server.tolist()
        self.channel_of = self.schedule.channel.tolist()
        self.due_ns: list[int] = []
        self.next = 0
        self.end = 0
        self.report = Report()
        self.heartbeat = Heartbeat(
            Path(job.arrays) / "heartbeat-publisher.npy", lambda: (self.report.sent, sum(self.open))
        )
        self.ended = asyncio.Event()
        self.tasks: set[asyncio.Task[None]] = set()
        self.recent: deque[float] = deque(maxlen=200)

    def _head(self, server: int) -> bytes:
        address = self.job.servers[server]
        return (
            f"POST /v1/chat.postMessage HTTP/1.1\r\nHost: {address.host}:{address.port}\r\n"
            f"Authorization: Bearer {self.job.token}\r\nContent-Type: application/json\r\nContent-Length: "
        ).encode()

    # Commands.

    def on_command(self, command: Command) -> None:
        plan = self.job.plan
        if command.do == "connect":
            for server in range(len(self.job.servers)):
                for _ in range(KEPT_CONNECTIONS):
                    self._open_connection(server)
        elif command.do == "probe":
            self._schedule(0, plan.channels, np.arange(plan.channels) * int(1e9 / PROBE_RATE_HZ) + time.monotonic_ns())
        elif command.do == "start":
            gc.collect()
            gc.freeze()
            offsets = self.schedule.offset_ns[plan.channels :]
            self._schedule(plan.channels, len(self.schedule), offsets + command.start_ns)
        elif command.do == "finish":
            self.finish()
        self.report.phase = command.do

    def _schedule(self, first: int, end: int, due_ns: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> None:
        self.intended[first:end] = due_ns
        self.due_ns = [0] * first + due_ns.tolist()
        self.next, self.end = first, end
        self._tick()

    def finish(self) -> None:
        for connection in (*self.busy, *(each for idle in self.idle for each in idle)):
            connection.close()
        self.heartbeat.close()
        self.ledger.flush()
        self.ended.set()

    # Posting.

    def _tick(self) -> None:
        """Post everything that is due, then come back in a millisecond or when the next is due."""
        now_ns = time.monotonic_ns()
        while self.next < self.end and self.due_ns[self.next] <= now_ns:
            self._post(self.next)
            self.next += 1
        if self.next < self.end:
            delay_s = max(TICK_S, (self.due_ns[self.next] - time.monotonic_ns()) / 1e9)
            asyncio.get_running_loop().call_later(delay_s, self._tick)

    def _post(self, message: int) -> None:
        server = self.server_of[message]
        if server in self.refusing:
            server = self._another(server)
        idle = self.idle[server]
        if idle:
            self._send(idle.pop(), message)
            return
        self.waiting[server].append(message)
        self._open_connection(server)

    def _another(self, server: int) -> int:
        """The next server that takes connections, as a load balancer would choose; the same where none does."""
        count = len(self.job.servers)
        others = ((server + step) % count for step in range(1, count))
        return next((other for other in others if other not in self.refusing), server)

    def _send(self, connection: PostConnection, message: int) -> None:
        plan = self.job.plan
        if connection.server != self.server_of[message]:
            self.server[message] = connection.server
        channel = self.channel_names[self.channel_of[message]]
        text = message_text(plan.run_id, message, plan.text_bytes)
        # Names and texts are ours: plain ASCII without anything that JSON would escape.
        body = f'{{"channel":"{channel}","text":"{text}","client_msg_id":"{plan.run_id}-{message}"}}'
        request = self.heads[connection.server] + f"{len(body)}\r\n\r\n{body}".encode()
        now_ns = time.monotonic_ns()
        self.sent[message] = now_ns
        self.busy.add(connection)
        self.report.sent += 1
        connection.post(message, request, now_ns + int(ANSWER_TIMEOUT_S * 1e9))
        self.recent.append((now_ns - self.due_ns[message]) / 1e6)

    def _on_answer(self, connection: PostConnection, status: int, answer: Answer) -> None:
        message = connection.message
        connection.message = -1
        self.busy.discard(connection)
        self.answered[message] = time.monotonic_ns()
        self.status[message] = status
        if status == 200 and answer.ok:
            self.outcome[message] = ACKNOWLEDGED
            self.seq[message] = answer.seq
            self.report.acknowledged += 1
            self.report.expected += int(self.audience[self.channel_of[message]])
        elif 400 <= status < 500 or answer.error in CERTAINLY_NOT_STORED:
            self.outcome[message] = REJECTED
            self.report.rejected += 1
            self.report.trouble = f"message {message} was rejected: {status} {answer.error}"
        else:
            self._indeterminate(message, f"{status} {answer.error}")
        waiting = self.waiting[connection.server]
        if waiting:
            self._send(connection, waiting.popleft())
        else:
            self.idle[connection.server].append(connection)

    def _indeterminate(self, message: int, why: str) -> None:
        self.outcome[message] = INDETERMINATE
        self.report.indeterminate += 1
        self.report.trouble = f"the outcome of message {message} is unknown: {why}"

    # Connections.

    def _open_connection(self, server: int) -> None:
        if self.open[server] >= MAX_CONNECTIONS or self.ended.is_set():
            return
        self.open[server] += 1
        task = asyncio.get_running_loop().create_task(self._connect(server))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _connect(self, server: int) -> None:
        address = self.job.servers[server]
        loop = asyncio.get_running_loop()
        while not self.ended.is_set():
            try:
                async with asyncio.timeout(CONNECT_TIMEOUT_S):
                    _, connection = await loop.create_connection(
                        lambda: PostConnection(server, self._on_answer, self._on_lost), address.host, address.port
                    )
            except OSError as error:
                self.report.trouble = f"the sender cannot connect to {address.url}: {error or type(error).__name__}"
                self.refusing.add(server)
                self._hand_over(server)
                await asyncio.sleep(RECONNECT_S)
                continue
            self.refusing.discard(server)
            waiting = self.waiting[server]
            if waiting:
                self._send(connection, waiting.popleft())
            else:
                self.idle[server].append(connection)
            return

    def _hand_over(self, server: int) -> None:
        """Posts that never left go to a server that takes them; where none does they wait, but not for ever."""
        waiting = self.waiting[server]
        if self._another(server) != server:
            handed, self.waiting[server] = waiting, deque()
            for message in handed:
                self._post(message)
        self._refuse_overdue(server)

    def _refuse_overdue(self, server: int) -> None:
        """Posts that found no connection in all the time that an answer may take were certainly not stored."""
        now_ns = time.monotonic_ns()
        waiting = self.waiting[server]
        while waiting and now_ns - self.due_ns[waiting[0]] > ANSWER_TIMEOUT_S * 1e9:
            self.outcome[waiting.popleft()] = REJECTED
            self.report.rejected += 1

    def _on_lost(self, connection: PostConnection, why: str) -> None:
        self.open[connection.server] -= 1
        self.busy.discard(connection)
        idle = self.idle[connection.server]
        if connection in idle:
            idle.remove(connection)
        if connection.message >= 0:
            # The request went out; whether it was taken, nobody here can know.
            self._indeterminate(connection.message, why)
            connection.message = -1
        if not self.ended.is_set() and self.open[connection.server] < KEPT_CONNECTIONS:
            self._open_connection(connection.server)

    def watch_time(self) -> None:
        """Give up on answers that are overdue."""
        now_ns = time.monotonic_ns()
        for connection in [each for each in self.busy if each.deadline_ns < now_ns]:
            connection.abort(f"no answer within {ANSWER_TIMEOUT_S:g} s")
        for server in range(len(self.open)):
            self._refuse_overdue(server)

    def fail(self, error: BaseException) -> None:
        """Say why this process cannot go on, and go."""
        self.report.failed = True
        self.report.trouble = f"{type(error).__name__}: {error}"
        self.ended.set()

    def tell(self) -> None:
        self.report.connected = sum(self.open)
        self.report.late_ms = max(self.recent, default=0.0)
        self.recent.clear()
        send(self.report)


def _ledger(path: Path, messages: int) -> "np.memmap[tuple[int, ...], np.dtype[np.void]]":
    """posts.npy, mapped into memory: it is on disk at every moment, also when this process is killed.

    The space is taken beforehand: a disk that fills later would end the process without a word (SIGBUS).
    """
    ledger = np.lib.format.open_memmap(path, mode="w+", dtype=POST, shape=(messages,))
    if hasattr(os, "posix_fallocate"):
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
    return ledger


async def run(job: Job, early: bytes) -> None:
    publisher = Publisher(job)
    Control(early, publisher.on_command, publisher.fail).listen()
    publisher.heartbeat.start()
    gc.freeze()
    gc.set_threshold(100_000, 50, 1_000)
    while not publisher.ended.is_set():
        publisher.watch_time()
        publisher.tell()
        try:
            async with asyncio.timeout(REPORT_S):
                await publisher.ended.wait()
        except TimeoutError:
            pass
    publisher.tell()


def main() -> None:
    # Where it is not allowed, the sender's lateness is measured all the same.
    with contextlib.suppress(OSError):
        os.nice(PRIORITY)
    try:
        uvloop.run(run(*read_job()))
    except OSError as error:
        send(Report(failed=True, trouble=f"{type(error).__name__}: {error}"))
        sys.exit(1)


if __name__ == "__main__":
    main()
