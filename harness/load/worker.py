"""A load worker: one process that holds its share of the clients and writes down what they receive.

python -m harness.load.worker JOB INDEX
"""

import asyncio
import gc
import random
import time
from pathlib import Path

import numpy as np
import uvloop
from picows import WSCloseCode, WSListener, WSTransport, ws_connect

from harness.load.client import Client, Sink
from harness.load.dial import dial
from harness.load.engine.control import Control, read_job, send
from harness.load.engine.job import Command, Job, Report
from harness.load.frames import FrameTable
from harness.load.heartbeat import Heartbeat
from harness.load.protocol.dialogue import Dialogue
from harness.model.message import channel_name
from harness.planning.arrivals import PROBE, schedule
from harness.planning.placement import client_channels, client_servers, client_workers
from harness.recording.arrays import RowFile
from harness.recording.format import DELIVERY, FRAME, SESSION

HANDSHAKES = 64
"""How many connects are in flight at once: more only fill the servers' listen queues."""
ANSWER_TIMEOUT_S = 20.0
"""How long a client waits for its connection to stand, and then for its subscription to be confirmed."""
COME_BACK_TIMEOUT_S = 5.0
"""The same for one that was connected before: then few connect at once, and another server may answer."""
BACK_OFF_BASE_S = 0.25
BACK_OFF_CAP_S = 5.0
READ_BUFFER_BYTES = 2_048
FLUSH_S = 0.5
REPORT_S = 0.2
SAMPLE = 500
FREEZE_EVERY = 250
"""connections after which the garbage collector is told again"""


class Worker:
    """Everything one worker process holds."""

    def __init__(self, job: Job) -> None:
        self.job = job
        index = job.index
        plan = job.plan
        self.schedule = schedule(plan)
        arrays = Path(job.arrays)
        self.frames = FrameTable(plan, len(self.schedule))
        self.sink = Sink(self.frames)
        self.deliveries = RowFile(arrays / f"deliveries-{index:02}.npy", DELIVERY)
        self.frame_rows = RowFile(arrays / f"frames-{index:02}.npy", FRAME)
        self.sessions = RowFile(arrays / f"sessions-{index:02}.npy", SESSION)
        self.heartbeat = Heartbeat(arrays / f"heartbeat-worker-{index:02}.npy", self._counts)
        channels, servers = client_channels(plan), client_servers(plan)
        self.clients = [
            Client(
                int(client),
                int(servers[client]),
                Dialogue(channel_name(plan.run_id, int(channels[client]))),
                self.sink,
                self._on_change,
            )
            for client in np.flatnonzero(client_workers(plan) == index)
        ]
        self.report = Report()
        self.start_ns = 0
        self.closing = False
        self.handshakes = asyncio.Semaphore(HANDSHAKES)
        self.connecting: set[asyncio.Task[None]] = set()
        self.unconfirmed: dict[Client, float] = {}
        """who waits for the answer to its subscription, until when (time.monotonic)"""
        self.ended = asyncio.Event()
        self._probed: set[int] = set()
        self._flushed_rows = 0

    def _counts(self) -> tuple[int, int]:
        return self._flushed_rows + len(self.sink.rows) // 2, self.report.connected

    # Commands.

    def on_command(self, command: Command) -> None:
        if command.do == "connect":
            for client in self.clients:
                self._connect_soon(client)
        elif command.do == "start":
            self.start_ns = command.start_ns
            gc.freeze()
        elif command.do == "set_reading":
            wanted = set(command.clients)
            for client in self.clients:
                if client.index in wanted and client.transport is not None:
                    client.set_reading(command.deaf)
        elif command.do == "finish":
            self.finish()
        self.report.phase = command.do

    def finish(self) -> None:
        """Close every connection in good order and every file."""
        self.closing = True
        for task in self.connecting:
            task.cancel()
        for client in self.clients:
            client.dialogue.close()
            if client.transport is not None:
                client.close_code = 1000
                self._end_session(client)
                client.transport.send_close(WSCloseCode.OK)
                client.transport.disconnect()
        self.flush()
        self.heartbeat.close()
        for file in (self.deliveries, self.frame_rows, self.sessions):
            file.close()
        self.ended.set()

    # Connecting.

    def _connect_soon(self, client: Client, delay_s: float = 0.0) -> None:
        task = asyncio.get_running_loop().create_task(self._connect(client, delay_s))
        self.connecting.add(task)
        task.add_done_callback(self._connected_or_failed)

    def _connected_or_failed(self, task: "asyncio.Task[None]") -> None:
        self.connecting.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.fail(error)

    async def _connect(self, client: Client, delay_s: float) -> None:
        """Connect until it works; every failure waits longer, at random, so that clients do not come back in step."""
        failures = 0
        await asyncio.sleep(delay_s)
        while not self.closing:
            before_ns = client.connected_ns
            limit_s = COME_BACK_TIMEOUT_S if before_ns else ANSWER_TIMEOUT_S
            try:
                await self._open(client, limit_s)
            except Exception as error:
                # picows has its own family for refused handshakes; each is a reason to come back, not to end.
                self._trouble(client, error)
            # What the client saw counts: picows returns without an error also where the server closed before it had
            # answered the handshake; and time may run out at the very moment at which it is done.
            if client.connected_ns != before_ns:
                self._on_connected(client, limit_s)
                return
            failures += 1
            if failures % 3 == 0:
                client.server = (client.server + 1) % len(self.job.servers)
            await asyncio.sleep(back_off_s(failures))

    async def _open(self, client: Client, limit_s: float) -> None:
        """One connection, tried once. Raises what stood against it."""
        server = self.job.servers[client.server]
        awaited = True
        try:
            async with self.handshakes, asyncio.timeout(limit_s):
                await ws_connect(
                    lambda: client if awaited else _TooLate(),
                    f"ws://{server.host}:{server.port}/v1/ws",
                    websocket_handshake_timeout=limit_s,
                    extra_headers={"Authorization": f"Bearer {self.job.token}"},
                    read_buffer_init_size=READ_BUFFER_BYTES,
                    socket_factory=dial,
                )
        finally:
            awaited = False

    def _on_connected(self, client: Client, limit_s: float) -> None:
        self.report.connected += 1
        if client.transport is not None and not client.live:
            self.unconfirmed[client] = time.monotonic() + limit_s
        if self.report.connected % FREEZE_EVERY == 0:
            # What lives now lives to the end: the collector need not look at it again and again. Bit by bit, because one
            # look at 15,000 clients at once stops the loop for seconds.
            gc.freeze()

    def give_up_on_silent_servers(self) -> None:
        """A server that goes away right after the handshake may leave a connection on which nothing ever happens."""
        now_s = time.monotonic()
        for client in [client for client, until_s in self.unconfirmed.items() if until_s < now_s]:
            del self.unconfirmed[client]
            if client.transport is not None:
                client.transport.disconnect(graceful=False)

    def _trouble(self, client: Client, error: Exception) -> None:
        server = self.job.servers[client.server]
        self.report.trouble = f"client {client.index} cannot connect to {server.url}: {type(error).__name__}: {error}"

    def _on_change(self, client: Client) -> None:
        self.unconfirmed.pop(client, None)
        if client.transport is None:
            self._on_lost(client)
        elif client.live:
            self.report.subscribed += 1
        elif client.dialogue.trouble:
            self.report.trouble = client.dialogue.trouble
            # Refused a subscription: try again with a new connection, like any other failure.
            client.transport.disconnect(graceful=False)

    def _on_lost(self, client: Client) -> None:
        if self.closing:
            return
        self._end_session(client)
        self.report.connected -= 1
        if client.subscribed_ns:
            self.report.subscribed -= 1
            client.subscribed_ns = 0
        client.server = (client.server + 1) % len(self.job.servers)
        self._connect_soon(client, back_off_s(1))

    def _end_session(self, client: Client) -> None:
        row = (
            client.index,
            client.server,
            client.close_code,
            client.connected_ns,
            client.subscribed_ns,
            client.dialogue.position,
            time.monotonic_ns(),
        )
        self.sessions.append(np.array([row], SESSION))

    # Writing and telling.

    def flush(self) -> None:
        """Write down what arrived since the last time."""
        rows = self.sink.rows
        if rows:
            self.deliveries.append(rows)
            self._look_at(np.frombuffer(rows, DELIVERY).copy())
            self._flushed_rows += len(rows) // 2
            # The array object stays, because clients hold its ``append``.
            del rows[:]
        if new := self.frames.take_rows().tolist():
            self.frame_rows.append(np.array(new, FRAME))

    def _look_at(self, rows: "np.ndarray[tuple[int, ...], np.dtype[np.void]]") -> None:
        """Live figures for the eye: who saw a probe, a sample of latencies."""
        if not self.start_ns:
            messages = self.frames.messages()[rows["frame"]]
            probes = (messages >= 0) & (self.schedule.phase[messages] == PROBE)
            self._probed.update(rows["client"][probes].tolist())
            self.report.probed = len(self._probed)
            return
        sample = rows[:: max(1, len(rows) // SAMPLE)][:SAMPLE]
        messages = np.array([self.frames.message_of(number) for number in sample["frame"].tolist()], np.int64)
        known = messages >= 0
        due_ns = self.start_ns + self.schedule.offset_ns[messages[known]]
        self.report.latencies_ms = tuple(((sample["received_ns"][known] - due_ns) / 1e6).round(2).tolist())

    def tell(self) -> None:
        self.report.delivered = self._counts()[0]
        send(self.report)

    def fail(self, error: BaseException) -> None:
        """Say why this process cannot go on, and go."""
        self.report.failed = True
        self.report.trouble = f"{type(error).__name__}: {error}"
        send(self.report)
        self.ended.set()


class _TooLate(WSListener):
    """Takes a connection that was answered when nobody waited for it any more."""

    def on_ws_connected(self, transport: WSTransport) -> None:
        transport.disconnect(graceful=False)


def back_off_s(failures: int) -> float:
    """Full jitter: a random wait below a limit that doubles with each failure."""
    return random.uniform(0, min(BACK_OFF_CAP_S, BACK_OFF_BASE_S * 2 ** min(failures, 8)))  # noqa: S311 - no secret


async def run(job: Job, early: bytes) -> None:
    worker = Worker(job)
    Control(early, worker.on_command, worker.fail).listen()
    worker.heartbeat.start()
    gc.freeze()
    gc.set_threshold(100_000, 50, 1_000)
    flushed_s = time.monotonic()
    while not worker.ended.is_set():
        try:
            if time.monotonic() - flushed_s >= FLUSH_S:
                flushed_s = time.monotonic()
                worker.flush()
            worker.give_up_on_silent_servers()
            worker.tell()
        except OSError as error:
            worker.fail(error)
            return
        try:
            async with asyncio.timeout(REPORT_S):
                await worker.ended.wait()
        except TimeoutError:
            pass
    worker.tell()
    # Let the last close frames out.
    await asyncio.sleep(0.05)


def main() -> None:
    uvloop.run(run(*read_job()))


if __name__ == "__main__":
    main()
