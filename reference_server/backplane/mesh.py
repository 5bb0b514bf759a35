"""A mesh: every server has one TCP connection to every other, and sends a message only to those that want its channel.
In each pair the server with the higher name connects. A server is up when every other living server (`mesh_lease`) is
linked and knows which channels this one wants. If too much waits for a slow peer, the server drops messages, and tells
the peer to read them from the log.
"""

import asyncio
import logging
import random
import time
from collections.abc import Collection, Sequence
from contextlib import suppress

from reference_server.backplane import mesh_link
from reference_server.backplane.base import BackplaneContext, BackplaneKind, Outgoing, Receiver
from reference_server.backplane.mesh_lease import MeshLease
from reference_server.backplane.mesh_link import Hello, Interest, MeshLink
from reference_server.message_log.postgresql_connection import PostgresqlConnection
from reference_server.metrics import Metrics
from reference_server.settings_section import Section

PING_S = 1.0
SILENCE_S = 3.0
HANDSHAKE_S = 2.0
START_GRACE_S = 5.0
"""how long a server that starts waits for peers that it has not seen yet"""
BACK_OFF_BASE_S = 0.05
BACK_OFF_CAP_S = 1.0

_log = logging.getLogger(__name__)


class Peer(Section, frozen=True, kw_only=True):
    name: str
    host: str
    port: int


class MeshSettings(Section, frozen=True, kw_only=True):
    """``host`` and ``port``: where this server accepts links. ``peers``: all other servers."""

    port: int
    host: str = "127.0.0.1"
    peers: tuple[Peer, ...] = ()


class Mesh:
    def __init__(
        self, section: MeshSettings, connection: PostgresqlConnection, *, name: str, token: str, metrics: Metrics
    ) -> None:
        self._section = section
        self._own = Hello(name, token)
        self._lease = MeshLease(connection, name, self._on_alive)
        self._metrics = metrics
        self._receiver: Receiver | None = None
        self._peers = {peer.name: peer for peer in section.peers}
        self._links: dict[str, MeshLink] = {}
        self._alive: set[str] | None = None
        self._channels: set[str] = set()
        self._unconfirmed: dict[str, int] = {}
        """channel → the number of the interest that first had it"""
        self._number = 1
        self._began_s = 0.0
        self._up = False
        self._complete_s = 0.0
        self._linked: set[str] = set()
        self._reconnections = self._dropped = self._past_sent = self._past_received = 0
        metrics.gauges.update(
            mesh_links=("Links to other servers now.", lambda: len(self._links)),
            mesh_sent_bytes=("Bytes sent over links.", lambda: self._past_sent + self._sum("sent_bytes")),
            mesh_received_bytes=("Bytes from links.", lambda: self._past_received + self._sum("received_bytes")),
            mesh_reconnections=("Links to a peer beside the first.", lambda: self._reconnections),
            mesh_dropped=("Messages that a slow peer must read from the log.", lambda: self._dropped),
            mesh_complete_seconds=(
                "From the start until all peers were linked; 0: not yet.",
                lambda: self._complete_s,
            ),
        )

    def _sum(self, name: str) -> int:
        return sum(getattr(link, name) for link in self._links.values())

    @property
    def up(self) -> bool:
        return self._up

    def publish(self, messages: Sequence[Outgoing]) -> bool:
        if self._receiver is None:
            return False
        # In the next turn of the loop: a message must not arrive, here or at a peer, before it counts as handed over.
        asyncio.get_running_loop().call_soon(self._send, self._receiver, messages)
        if self._up:
            self._metrics.published += len(messages)
        else:
            self._metrics.publish_failures += len(messages)  # part of the servers did not get them
        return self._up

    def _send(self, receiver: Receiver, messages: Sequence[Outgoing]) -> None:
        for message in messages:
            if message.channel in self._channels:
                receiver.on_message(*message)
        data = [(message, mesh_link.encoded(message)) for message in messages]
        for link in self._links.values():
            self._dropped += link.send_messages(data)

    def subscribe(self, channels: Collection[str]) -> None:
        self._channels.update(channels)
        self._number += 1
        self._unconfirmed.update((channel, self._number) for channel in channels)
        self._tell(Interest(self._number, False, add=list(channels)))
        self._confirm()

    def unsubscribe(self, channels: Collection[str]) -> None:
        self._channels.difference_update(channels)
        for channel in channels:
            self._unconfirmed.pop(channel, None)
        self._number += 1
        self._tell(Interest(self._number, False, remove=list(channels)))

    async def run(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._began_s = time.monotonic()
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: self._link(None), self._section.host, self._section.port)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._lease.run())
                tasks.create_task(self._keep_alive())
                for peer in self._peers.values():
                    if peer.name < self._own.name:
                        tasks.create_task(self._dial(peer))
        finally:
            server.close()
            for link in list(self._links.values()):
                link.abort()

    # Links.

    def _link(self, dialled: str | None) -> MeshLink:
        link = MeshLink(
            self._own, dialled=dialled, opened=self._on_open, received=self._on_frame, closed=self._on_closed
        )
        asyncio.get_running_loop().call_later(HANDSHAKE_S, link.abort_without_hello)
        return link

    async def _dial(self, peer: Peer) -> None:
        """Keep a link to this peer, with full jitter between attempts."""
        loop = asyncio.get_running_loop()
        failures = 0
        while True:
            link = None
            with suppress(OSError):  # TimeoutError is one
                async with asyncio.timeout(HANDSHAKE_S):
                    _, link = await loop.create_connection(lambda: self._link(peer.name), peer.host, peer.port)
                opened_s = time.monotonic()
                try:
                    await link.ended.wait()
                finally:
                    link.abort()
                failures = 0 if time.monotonic() - opened_s > 2 * HANDSHAKE_S else failures
            failures += 1
            limit_s = min(BACK_OFF_CAP_S, BACK_OFF_BASE_S * 2 ** min(failures, 10))
            await asyncio.sleep(random.uniform(0, limit_s))  # noqa: S311  # jitter, not a secret

    async def _keep_alive(self) -> None:
        while True:
            for link in list(self._links.values()):
                if time.monotonic() - link.heard_s > SILENCE_S:
                    link.abort()  # a frozen peer keeps its connections open
                elif not link.full:
                    link.send_missed()
                    link.send(mesh_link.PING)
            self._evaluate()
            await asyncio.sleep(PING_S)

    def _on_open(self, link: MeshLink) -> None:
        if link.peer not in self._peers:
            link.abort()
            return
        if (old := self._links.pop(link.peer, None)) is not None:
            self._forget(old)
            old.abort()
        self._reconnections += link.peer in self._linked
        self._linked.add(link.peer)
        self._links[link.peer] = link
        if self._alive is not None:
            self._alive.add(link.peer)
        link.send(mesh_link.INTEREST, mesh_link.packed(Interest(self._number, True, add=list(self._channels))))
        self._evaluate()

    def _on_closed(self, link: MeshLink) -> None:
        if self._links.get(link.peer) is link:
            del self._links[link.peer]
            self._forget(link)
            self._evaluate()

    def _forget(self, link: MeshLink) -> None:
        self._past_sent += link.sent_bytes
        self._past_received += link.received_bytes

    def _on_frame(self, link: MeshLink, kind: bytes, body: bytes) -> None:
        receiver = self._receiver
        if receiver is None:
            return
        if kind == mesh_link.BATCH:
            for message in mesh_link.decoded(body):
                if message.channel in self._channels:
                    receiver.on_message(*message)
        elif kind == mesh_link.NEWER:
            for channel, seq in mesh_link.newest_of(body).items():
                if channel in self._channels:
                    receiver.on_newer(channel, seq)
        elif kind == mesh_link.INTEREST:
            interest = mesh_link.interest_of(body)
            if interest.full:
                link.interest.clear()
            link.interest.update(interest.add)
            link.interest.difference_update(interest.remove)
            link.send(mesh_link.ACKNOWLEDGE, mesh_link.packed(interest.number))
        elif kind == mesh_link.ACKNOWLEDGE:
            first, link.acknowledged = not link.acknowledged, mesh_link.number_of(body)
            was_up = self._up
            self._evaluate()
            if first and was_up and self._up:
                # What this peer published before it knew this server did not arrive: the gateway compares with the log.
                receiver.on_subscribed(self._channels - self._unconfirmed.keys())
            self._confirm()

    # State.

    def _tell(self, interest: Interest) -> None:
        for link in self._links.values():
            link.send(mesh_link.INTEREST, mesh_link.packed(interest))

    def _confirm(self) -> None:
        if not self._up or self._receiver is None or not self._unconfirmed:
            return
        known = min((link.acknowledged for link in self._links.values()), default=self._number)
        if confirmed := [channel for channel, number in self._unconfirmed.items() if number <= known]:
            for channel in confirmed:
                del self._unconfirmed[channel]
            self._receiver.on_subscribed(confirmed)

    def _on_alive(self, names: set[str]) -> None:
        self._alive = (names & self._peers.keys()) | self._links.keys()  # a link proves it before the lease is read
        self._evaluate()

    def _evaluate(self) -> None:
        """Decide whether the mesh is up or down. Before it is up for the first time, a server waits a while for peers
        that may be starting."""
        if self._receiver is None or self._alive is None:
            return
        heard = {name for name, link in self._links.items() if link.acknowledged}
        if not self._complete_s and heard == self._peers.keys():
            self._complete_s = time.monotonic() - self._began_s
        starting = not self._complete_s and time.monotonic() - self._began_s < START_GRACE_S
        up = (self._peers.keys() if starting else self._alive) <= heard
        if up == self._up:
            return
        self._up = up
        if up:
            _log.info("mesh: linked with %d servers", len(heard))
            self._receiver.on_state(True)
            self._receiver.on_subscribed(self._channels - self._unconfirmed.keys())
            self._confirm()
        else:
            _log.warning("mesh: no link with %s", ", ".join(sorted(self._alive - heard)))
            self._receiver.on_state(False)


def _build(section: MeshSettings, context: BackplaneContext) -> Mesh:
    settings = context.settings
    connection = PostgresqlConnection(
        settings.postgres, name=f"{settings.name} mesh", statement_timeout_ms=settings.statement_timeout_ms
    )
    return Mesh(section, connection, name=settings.name, token=settings.token, metrics=context.metrics)


KIND = BackplaneKind(name="mesh", section=MeshSettings, broker=None, build=_build)
