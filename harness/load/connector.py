"""Connects the clients of one load worker, and connects each again whenever its connection is lost."""

import asyncio
import gc
import random
import time
from collections.abc import Callable, Sequence

from harness.load.client import Client
from harness.load.dial import connect
from harness.load.engine.job import Report
from harness.load.incidents import Incidents
from harness.load.protocol.handshake import Handshake, HandshakeBroken
from harness.model.cluster import ServerAddress
from harness.model.incident import IncidentKind
from harness.protocol.contract import ClientProtocol

HANDSHAKES = 64
"""How many clients connect at once: more would only fill the servers' listen queues."""
ANSWER_TIMEOUT_S = 20.0
"""How long a client waits for its connection, and then for the confirmation of its subscription."""
RECONNECT_TIMEOUT_S = 5.0
"""The same for a client that was connected before: then few clients connect at once, and another server may answer."""
BACK_OFF_BASE_S = 0.25
BACK_OFF_CAP_S = 5.0
FAILURES_PER_SERVER = 3
"""After so many failed connects in a row a client tries the next server."""
FREEZE_EVERY = 250
"""Connections between two calls of gc.freeze()."""


class Connector:
    """Counts ``connected`` and ``subscribed`` in ``report`` and writes there why a client cannot connect.

    ``on_session_end`` is called for each connection that is lost, before the client's fields change. ``on_failure``
    gets the errors of this program itself.
    """

    def __init__(
        self,
        protocol: ClientProtocol,
        servers: Sequence[ServerAddress],
        token: str,
        *,
        report: Report,
        incidents: Incidents,
        on_session_end: Callable[[Client], None],
        on_failure: Callable[[BaseException], None],
    ) -> None:
        self._servers = servers
        self._urls = [protocol.websocket_url(server) for server in servers]
        self._headers = protocol.headers(token)
        self._report = report
        self._incidents = incidents
        self._on_session_end = on_session_end
        self._on_failure = on_failure
        self._closing = False
        self._handshakes = asyncio.Semaphore(HANDSHAKES)
        self._connecting: set[asyncio.Task[None]] = set()
        self._unconfirmed: dict[Client, float] = {}
        """clients that wait for the answer to their subscription, until when (time.monotonic)"""
        self._failures: dict[Client, int] = {}
        """by client: connects in a row that did not lead to a subscription"""

    def connect(self, client: Client, delay_s: float = 0.0) -> None:
        """Begin to connect ``client``, and try again until it is connected."""
        task = asyncio.get_running_loop().create_task(self._connect(client, delay_s))
        self._connecting.add(task)
        task.add_done_callback(self._on_connect_done)

    def on_change(self, client: Client) -> None:
        """The listener of every client (`Client.on_change`)."""
        self._unconfirmed.pop(client, None)
        if client.transport is None:
            self._on_lost(client)
        elif client.live:
            self._report.subscribed += 1
            self._failures.pop(client, None)
        else:
            # The server refused the subscription: try again with a new connection, like after any other failure.
            self._report.trouble = client.dialogue.refusal
            client.drop()

    def drop_unconfirmed(self) -> None:
        """Disconnect clients whose subscription is not answered in time.

        A server that goes away right after the handshake may leave a connection on which nothing ever happens."""
        now_s = time.monotonic()
        for client in [client for client, until_s in self._unconfirmed.items() if until_s < now_s]:
            del self._unconfirmed[client]
            client.drop()

    def close(self) -> None:
        """Connect no client any more."""
        self._closing = True
        for task in self._connecting:
            task.cancel()

    def _on_connect_done(self, task: "asyncio.Task[None]") -> None:
        self._connecting.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._on_failure(error)

    async def _connect(self, client: Client, delay_s: float) -> None:
        """Try until the client is connected. After every failure it waits longer, for a random time, so that clients do
        not reconnect at the same moments."""
        await asyncio.sleep(delay_s)
        while not self._closing:
            before_ns = client.connected_ns
            limit_s = RECONNECT_TIMEOUT_S if before_ns else ANSWER_TIMEOUT_S
            try:
                await self._open(client, limit_s)
            except Exception as error:
                # Each is a reason to try again, not to end.
                self._on_failed(client, error)
            # The client's own time stamp decides: the time-out may fire at the moment at which the handshake is done.
            if client.connected_ns != before_ns:
                self._on_connected(client, limit_s)
                return
            failures = self._fail(client)
            if failures % FAILURES_PER_SERVER == 0:
                client.server = (client.server + 1) % len(self._servers)
            await asyncio.sleep(back_off_s(failures))

    def _fail(self, client: Client) -> int:
        """Count one more failure of ``client``; how many there are in a row."""
        failures = self._failures.get(client, 0) + 1
        self._failures[client] = failures
        return failures

    async def _open(self, client: Client, limit_s: float) -> None:
        """Try one connection once. Raises the error that prevented it."""
        address = self._servers[client.server]
        handshake = Handshake(self._urls[client.server], self._headers, client.open)
        try:
            async with self._handshakes, asyncio.timeout(limit_s):
                await connect(lambda: handshake, address)
                await handshake.done
        finally:
            handshake.give_up()

    def _on_failed(self, client: Client, error: Exception) -> None:
        address = self._servers[client.server]
        self._report.trouble = f"client {client.index} cannot connect to {address.url}: {type(error).__name__}: {error}"
        if isinstance(error, HandshakeBroken):
            place = f"client {client.index} on server {client.server + 1}"
            self._incidents.note(IncidentKind.HANDSHAKE, str(error), place)

    def _on_connected(self, client: Client, limit_s: float) -> None:
        self._report.connected += 1
        if client.transport is not None and not client.live:
            self._unconfirmed[client] = time.monotonic() + limit_s
        if self._report.connected % FREEZE_EVERY == 0:
            # These objects live until the end, so the collector need not visit them again and again. In small steps,
            # because one visit of 15,000 clients at once stops the loop for seconds.
            gc.freeze()

    def _on_lost(self, client: Client) -> None:
        if self._closing:
            return
        self._on_session_end(client)
        self._report.connected -= 1
        if client.subscribed_ns:
            self._report.subscribed -= 1
            client.subscribed_ns = 0
            failures = 1
        else:
            # A server that takes connections and serves nothing counts as a failure: the wait continues to grow.
            failures = self._fail(client)
        client.server = (client.server + 1) % len(self._servers)
        self.connect(client, back_off_s(failures))


def back_off_s(failures: int) -> float:
    """Full jitter: a random wait below a limit that doubles with each failure."""
    return random.uniform(0, min(BACK_OFF_CAP_S, BACK_OFF_BASE_S * 2 ** min(failures, 8)))  # noqa: S311 - no secret
