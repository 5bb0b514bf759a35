"""One client and its WebSocket: it stamps every delivery and appends it as a row; the dialogue handles all other
frames."""

import asyncio
from array import array
from collections.abc import Callable
from socket import SO_RCVBUF, SOL_SOCKET
from time import monotonic_ns

from harness.load.frames import FrameTable
from harness.load.incidents import Incidents
from harness.load.protocol import framing
from harness.load.protocol.dialogue import Dialogue, State
from harness.load.protocol.framing import FramingError, Splitter
from harness.model.incident import IncidentKind
from harness.protocol.contract import Frame

PAUSED_BUFFER_BYTES = 65_536
PONGS_BYTES = 65_536
"""Bytes that wait to be written to one connection before its pings are no longer answered."""
CLOSE_LIMIT_S = 1.0
"""How long a client waits, after the closing handshake, for the server to close the TCP connection (RFC 6455
§7.1.1)."""
_NO_DELIVERY = -1


class Sink:
    """Collects the deliveries of all clients of a worker: 16 bytes each, in the layout of deliveries-NN.npy."""

    __slots__ = ("append", "frames", "incidents", "rows")

    def __init__(self, frames: FrameTable, incidents: Incidents) -> None:
        self.frames = frames
        self.incidents = incidents
        self.rows = array("Q")
        self.append = self.rows.append


class Client(asyncio.Protocol):
    """A client and its present connection. ``on_change`` is called when the subscription is confirmed, when it is
    refused (`Dialogue.refusal`), and when the connection is lost.

    A delivery costs one dictionary look-up, one reading of the clock, two appends to an array of machine words. No
    object outlives the call. The look-up is by the bytes that were read, so a property of a frame that was checked once
    (one whole text frame, unmasked, UTF-8, an event) is true for every hit. The look-up is switched off if the same
    bytes could mean something else: after half a frame, between fragments, before the first delivery of a subscription,
    after a close frame.
    """

    __slots__ = (
        "_append",
        "_channel",
        "_close_received",
        "_closing",
        "_first_due",
        "_known",
        "_last",
        "_parts",
        "_splitter",
        "close_code",
        "connected_ns",
        "dialogue",
        "index",
        "on_change",
        "server",
        "sink",
        "subscribed_ns",
        "transport",
    )

    def __init__(
        self, index: int, server: int, dialogue: Dialogue, sink: Sink, on_change: "Callable[[Client], None]"
    ) -> None:
        self.index = index
        self.server = server
        self.dialogue = dialogue
        self.sink = sink
        self.on_change = on_change
        self.transport: asyncio.Transport | None = None
        self.connected_ns = 0
        self.subscribed_ns = 0
        self.close_code = 0
        self._append = sink.append
        self._channel = sink.frames.channel(dialogue.channel)
        self._last = _NO_DELIVERY
        self._reset()

    def _reset(self) -> None:
        self._splitter = Splitter()
        self._parts: bytearray | None = None
        self._first_due = False
        """the next delivery is the first of its subscription"""
        self._closing = False
        """a close frame was sent"""
        self._close_received = False
        self._choose_lookup()

    def open(self, transport: asyncio.Transport, rest: bytes) -> None:
        """The handshake is done, ``rest`` came behind it: this client is the transport's protocol from now on."""
        self._reset()
        self.transport = transport
        self.connected_ns = monotonic_ns()
        self.close_code = 0
        transport.set_protocol(self)
        self._send(framing.TEXT, self.dialogue.connected())
        if rest:
            self.data_received(rest)

    def data_received(self, data: bytes) -> None:
        mark = self._known(data)
        if mark is None:
            self._on_bytes(data)
            return
        self._last = mark
        append = self._append
        append(self.index | mark)
        append(monotonic_ns())

    def connection_lost(self, exc: Exception | None) -> None:
        if self.transport is None:
            return
        self.dialogue.lost(0 if self._last == _NO_DELIVERY else self.sink.frames.seq_of(self._last, self._channel))
        self.transport = None
        self._splitter = Splitter()
        if not self.close_code:
            self.close_code = framing.LOST
        self.on_change(self)

    def close(self) -> None:
        """Close the connection with the closing handshake. Does nothing without a connection."""
        if self.transport is not None:
            # The first close frame counts, whichever side sent it.
            if not self._closing:
                self._closing = True
                self._choose_lookup()
                self.close_code = framing.NORMAL
                self._send(framing.CLOSE, framing.close_payload(framing.NORMAL))
            self.transport.close()

    def drop(self) -> None:
        """Cut the connection off. Does nothing without a connection."""
        if self.transport is not None:
            self.transport.abort()

    def ping(self) -> None:
        """Send a ping. A client that only reads does not notice that the other end of the connection is gone: a reset
        may be lost if both ends are overloaded. A write to such a connection is answered by another reset. Does nothing
        without a subscription."""
        if self.live and not self._closing:
            self._send(framing.PING, b"")

    def pause_reading(self) -> None:
        """Stop reading from the socket: the server then sees a slow consumer. Does nothing without a connection."""
        if self.transport is None:
            return
        self.transport.pause_reading()
        # Otherwise the kernel would buffer megabytes for the client, and the server would notice only after minutes.
        self.transport.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_RCVBUF, PAUSED_BUFFER_BYTES)

    def resume_reading(self) -> None:
        """Read again. Does nothing without a connection."""
        if self.transport is not None:
            self.transport.resume_reading()

    @property
    def live(self) -> bool:
        return self.dialogue.state is State.LIVE

    def _choose_lookup(self, *, between_frames: bool = True) -> None:
        """``between_frames``: the next bytes begin a frame."""
        plain = between_frames and self._parts is None and not self._first_due and not self._closing
        self._known = self.sink.frames.lookup(self._channel) if plain else _unknown

    def _send(self, opcode: int, payload: bytes) -> None:
        if self.transport is not None:
            self.transport.write(framing.client_frame(opcode, payload))

    def _on_bytes(self, data: bytes) -> None:
        """Bytes that are not exactly one frame seen before: several frames, parts of frames, new frames."""
        self._choose_lookup(between_frames=True)
        try:
            for frame in self._splitter.split(data):
                mark = self._known(frame)
                if mark is None:
                    self._on_frame(frame)
                    self._choose_lookup(between_frames=True)
                else:
                    self._last = mark
                    self._append(self.index | mark)
                    self._append(monotonic_ns())
        except FramingError as error:
            self._fail(error)
        self._choose_lookup(between_frames=self._splitter.empty)

    def _on_frame(self, frame: bytes) -> None:
        """Any frame but a delivery that was seen lately. Raises FramingError."""
        opcode, payload = frame[0] & 0x0F, framing.payload_of(frame)
        if self._close_received and opcode < framing.CLOSE:
            raise FramingError("a message after the close frame")
        if self._closing:
            return
        if opcode == framing.CLOSE:
            self._on_close(framing.close_code(payload))
        elif opcode == framing.PING:
            self._on_ping(payload)
        elif opcode != framing.PONG:
            self._on_data(frame, opcode, payload)

    def _on_ping(self, payload: bytes) -> None:
        assert self.transport is not None
        if self.transport.get_write_buffer_size() < PONGS_BYTES:
            self._send(framing.PONG, payload)
        else:
            self._note(
                IncidentKind.UNANSWERED_PING, "a ping while the server does not read the answers to earlier pings"
            )

    def _on_close(self, code: int) -> None:
        """Answer the close frame; the server then closes the TCP connection (RFC 6455 §5.5.1, §7.1.1)."""
        assert self.transport is not None
        self.close_code = code
        self._close_received = True
        self._send_close(code)

    def _on_data(self, frame: bytes, opcode: int, payload: bytes) -> None:
        """A frame of a message: the whole of it, or a fragment."""
        final = frame[0] & framing.FIN
        if opcode == framing.CONTINUATION:
            if self._parts is None:
                raise FramingError("a continuation without a beginning")
            self._parts += payload
            if len(self._parts) > framing.MESSAGE_LIMIT_BYTES:
                raise FramingError(f"a message is longer than {framing.MESSAGE_LIMIT_BYTES:,} bytes", framing.TOO_BIG)
            if not final:
                return
            # The first byte of the parts is the opcode of the message.
            opcode, payload, self._parts = self._parts[0], bytes(self._parts[1:]), None
            frame = framing.server_frame(opcode, payload)
        elif self._parts is not None:
            raise FramingError("a new message between the fragments of another one")
        elif not final:
            self._parts = bytearray((opcode, *payload))
            return
        if opcode == framing.BINARY:
            self._note(IncidentKind.BINARY, "a message in binary frames", repr(payload[:100]))
        else:
            self._on_text(frame, payload)

    def _on_text(self, frame: bytes, payload: bytes) -> None:
        try:
            payload.decode()
        except UnicodeDecodeError as error:
            raise FramingError("a text message is not UTF-8", framing.NOT_UTF8) from error
        frames = self.sink.frames
        unverified = frames.unverified
        found = frames.mark(frame, payload)
        if isinstance(found, int):
            self._deliver(found)
            if frames.unverified != unverified:
                reason = f"more than {frames.limit:,} different deliveries at one load worker"
                self._note(IncidentKind.FRAME_LIMIT, reason, repr(payload[:100]))
        else:
            self._on_event(found, payload)

    def _deliver(self, mark: int) -> None:
        """A delivery that the look-up does not know. A delivery of another channel does not change the client's
        position."""
        self._append(self.index | mark)
        self._append(monotonic_ns())
        seq = self.sink.frames.seq_of(mark, self._channel)
        if seq:
            self._last = mark
        if self._first_due and self.sink.frames.channel_of(mark) == self._channel:
            self._first_due = False
            position = self.dialogue.position
            if seq and seq != position + 1:
                reason = "the first delivery of a subscription is not the one after its position"
                self._note(IncidentKind.POSITION, reason, f"position {position}, then seq {seq}")

    def _on_event(self, event: Frame, payload: bytes) -> None:
        reaction = self.dialogue.received(event)
        if reaction.confirmed:
            self.subscribed_ns = monotonic_ns()
            self._first_due = True
        if reaction.violation is not None:
            self._note(reaction.violation.kind, reaction.violation.reason, repr(payload[:100]))
        if reaction.reply:
            self._send(framing.TEXT, reaction.reply)
        if reaction.confirmed or reaction.refused:
            self.on_change(self)

    def _fail(self, error: FramingError) -> None:
        """Close a connection on which the server broke RFC 6455 (§7.1.7); the client reconnects."""
        self._note(IncidentKind.FRAMING, str(error))
        if self.transport is not None:
            if not self._closing:
                self._send_close(error.code)
            self.transport.close()

    def _send_close(self, code: int) -> None:
        """Send a close frame; the TCP connection ends soon, even if the server does not answer."""
        assert self.transport is not None
        self._closing = True
        self._send(framing.CLOSE, framing.close_payload(code))
        asyncio.get_running_loop().call_later(CLOSE_LIMIT_S, self.transport.abort)

    def _note(self, kind: IncidentKind, reason: str, example: str = "") -> None:
        where = f"client {self.index} on server {self.server + 1}"
        self.sink.incidents.note(kind, reason, f"{where}: {example}" if example else where)


def _unknown(data: bytes) -> None:
    """The look-up that knows no bytes."""
